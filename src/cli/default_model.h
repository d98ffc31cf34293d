// Which model file is meant when none is named.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"

namespace quire {

// Below the repository's root; script/setup puts it there.
inline constexpr const char* kDefaultModel = "models/SmolLM2-135M-Instruct.Q4_1.gguf";

// The default model under `working_directory`, or under the repository that `binary` was built in (two
// folders above the binary's own: build/release/quire). kNotFound says how to get it.
Expected<std::string> find_default_model(const std::filesystem::path& working_directory,
                                         const std::filesystem::path& binary);

// The same for this process.
Expected<std::string> find_default_model();

}  // namespace quire
