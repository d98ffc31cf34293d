// JSON that a client wrote, as chat templates take it.
#pragma once

#include "chat/value.h"
#include "server/json/json_document.h"

namespace quire {

// All strings in it, keys too, are marked as the user's. The document bounds its depth.
Value template_value(JsonValue json);
Value template_value(JsonObject json);

}  // namespace quire
