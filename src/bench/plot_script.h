// Runs a Python script that draws with matplotlib.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

// Calls python3 on `script` with two arguments: a temporary file that holds `json`, and `target`, where
// the script is to write. A script exits with kNoMatplotlib if it cannot import matplotlib. Errors:
// kUnsupported without Python or matplotlib; kIo if the script fails otherwise, or the temporary file
// cannot be written.
inline constexpr int kNoMatplotlib = 3;
Expected<> run_plot_script(const char* script, std::string_view json, const std::string& target);

}  // namespace quire
