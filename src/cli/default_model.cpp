#include "cli/default_model.h"

namespace quire {

namespace fs = std::filesystem;

Expected<std::string> find_default_model(const fs::path& working_directory, const fs::path& binary) {
  const fs::path repository = binary.parent_path() / ".." / "..";
  for (const fs::path& root : {working_directory, repository}) {
    const fs::path candidate = (root / kDefaultModel).lexically_normal();
    std::error_code error;
    if (fs::is_regular_file(candidate, error)) return candidate.string();
  }
  return fail(
      ErrorCode::kNotFound,
      "no model was named, and the default one is not here ({}): run script/setup, or name a GGUF file",
      kDefaultModel);
}

Expected<std::string> find_default_model() {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  return find_default_model(here, binary);
}

}  // namespace quire
