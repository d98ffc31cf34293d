// The values that chat templates compute with: JSON's, with strings that remember which of their bytes a user wrote.
#pragma once
