#include <fcntl.h>
#include <gtest/gtest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "io/folder_lock.h"
#include "io/safetensors.h"
#include "io/tensor_file.h"

namespace fer {
namespace {

/// A folder of its own for each test.
class Io : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder = std::filesystem::temp_directory_path() / (std::string("fer-torch-") + test->name());
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string at(const std::string& name) const { return (folder / name).string(); }

  /// The tensor that `place` describes, of the file `name`.
  at::Tensor read(const std::string& name, TensorPlace place) const {
    const int descriptor = ::open(at(name).c_str(), O_RDONLY);
    const auto file = TensorFile::share(descriptor, at(name));
    ::close(descriptor);
    place.name = "x";
    return file->sources({place}).front().read();
  }

  std::filesystem::path folder;
};

using Floats = std::vector<float>;

void write_floats(const std::string& path, const Floats& values) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(values.data()), 4 * values.size());
}

TensorPlace floats(std::vector<int64_t> shape, std::vector<int64_t> strides, int64_t offset) {
  return {.name = {}, .dtype = at::kFloat, .shape = std::move(shape), .strides = std::move(strides), .offset = offset};
}

TEST_F(Io, ReadsRowMajorStridedEmptyAndZeroDimensionalTensorsAfterTheDescriptorIsClosed) {
  write_floats(at("f"), {0, 1, 2, 3, 4, 5});
  EXPECT_TRUE(read("f", floats({2, 3}, {}, 0)).equal(at::arange(6).view({2, 3}).to(at::kFloat)));
  EXPECT_TRUE(read("f", floats({3, 2}, {1, 3}, 0)).equal(at::arange(6).view({2, 3}).t().to(at::kFloat)));
  EXPECT_TRUE(read("f", floats({2}, {2}, 4)).equal(at::tensor(Floats{1, 3})));
  EXPECT_TRUE(read("f", floats({1000}, {0}, 20)).equal(at::full({1000}, 5.0F)));
  EXPECT_EQ(read("f", floats({}, {}, 8)).item<float>(), 2.0F);
  EXPECT_EQ(read("f", floats({0, 7}, {}, 24)).numel(), 0);
}

TEST_F(Io, RefusesPlacesThatAreNotWhollyInsideTheFile) {
  write_floats(at("f"), {0, 1, 2, 3, 4, 5});
  const int64_t huge = INT64_MAX;
  for (const auto& place :
       {floats({7}, {}, 0), floats({1}, {}, 24), floats({1}, {}, 21), floats({1}, {}, -4), floats({-1}, {}, 0),
        floats({2}, {-1}, 4), floats({huge, huge}, {}, 0), floats({huge}, {huge}, 0), floats({2}, {huge}, 0),
        floats({1}, {}, huge), floats({2, 2}, {1}, 0)}) {
    EXPECT_THROW(read("f", place), Error);
  }
}

TEST_F(Io, AFileCutShortAfterItWasOpenedIsAnError) {
  write_floats(at("f"), Floats(100000, 1.0F));
  const int descriptor = ::open(at("f").c_str(), O_RDONLY);
  const auto file = TensorFile::share(descriptor, at("f"));
  ::close(descriptor);
  const auto source = file->sources({floats({100000}, {}, 0)}).front();
  std::filesystem::resize_file(at("f"), 5000);
  EXPECT_THROW(source.read(), Error);
}

TEST_F(Io, AFullDiskIsAnErrorThatLeavesTheOldFileWhole) {
  write_safetensors(at("model"), "old", {}, at::kFloat);
  // Writes to /dev/full fail as those to a full disk do.
  std::filesystem::create_symlink("/dev/full", at("model.tmp"));
  try {
    write_safetensors(at("model"), "new", {{"x", at::ones({1000000})}}, at::kFloat);
    FAIL() << "expected ERR_OUTPUT";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, "ERR_OUTPUT");
    EXPECT_NE(std::string(error.what()).find("No space left on device"), std::string::npos) << error.what();
  }
  std::string content;
  std::ifstream(at("model")) >> content;
  EXPECT_EQ(content, "old");
  EXPECT_FALSE(std::filesystem::is_symlink(at("model.tmp")));
}

TEST_F(Io, AFolderIsHeldByOneAtATime) {
  auto first = FolderLock::acquire(folder.string());
  ASSERT_TRUE(first);
  EXPECT_FALSE(FolderLock::acquire(folder.string()));
  first.reset();
  EXPECT_TRUE(FolderLock::acquire(folder.string()));
  EXPECT_THROW(FolderLock::acquire(at("missing")), Error);
}

}  // namespace
}  // namespace fer
