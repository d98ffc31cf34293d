#include "cli/default_model.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/base/temp_folder.h"

namespace quire {
namespace {

namespace fs = std::filesystem;

class DefaultModel : public testing::Test {
 protected:
  DefaultModel() {
    fs::create_directories(root_ / "here");
    fs::create_directories(root_ / "repo" / "build" / "release");
  }

  fs::path put_model(const fs::path& folder) {
    const fs::path file = folder / kDefaultModel;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "GGUF";
    return file;
  }
  Expected<std::string> find() {
    return find_default_model(root_ / "here", root_ / "repo/build/release/quire");
  }

  const TempFolder folder_;
  const fs::path root_ = folder_.path();
};

TEST_F(DefaultModel, IsInTheWorkingDirectoryFirst) {
  put_model(root_ / "repo");
  const fs::path file = put_model(root_ / "here");
  EXPECT_EQ(find().value(), file.string());
}

TEST_F(DefaultModel, IsInTheRepositoryOfTheBinary) {
  const fs::path file = put_model(root_ / "repo");
  EXPECT_EQ(find().value(), file.string());
}

TEST_F(DefaultModel, IsNoFolder) {
  fs::create_directories(root_ / "here" / kDefaultModel);
  EXPECT_FALSE(find());
}

TEST_F(DefaultModel, SaysHowToGetIt) {
  const auto found = find();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_NE(found.error().message.find("script/setup"), std::string::npos);
}

}  // namespace
}  // namespace quire
