// Pictures come back from libpng's simple reader as they were written.
#include <gtest/gtest.h>
#include <png.h>

#include <string>

#include "base/error.hpp"
#include "io/png/png_file.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using testing::TempFolder;

TEST(PngFile, ComesBackAsItWasWritten) {
  const TempFolder folder;
  io::GreyPicture picture{37, 23, {}};
  for (int n = 0; n < 37 * 23; ++n) picture.pixels.push_back(static_cast<std::uint8_t>(n * 7));

  io::write_png(folder / "p.png", picture);

  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_TRUE(png_image_begin_read_from_file(&image, (folder / "p.png").c_str()));
  image.format = PNG_FORMAT_GRAY;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(image));
  ASSERT_TRUE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr));
  EXPECT_EQ(image.width, 37u);
  EXPECT_EQ(image.height, 23u);
  EXPECT_EQ(pixels, picture.pixels);
}

TEST(PngFile, ComesBackFromMemory) {
  io::GreyPicture picture{19, 7, {}};
  for (int n = 0; n < 19 * 7; ++n) picture.pixels.push_back(static_cast<std::uint8_t>(n * 5));

  const std::string bytes = io::png_bytes(picture);

  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_TRUE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()));
  image.format = PNG_FORMAT_GRAY;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(image));
  ASSERT_TRUE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr));
  EXPECT_EQ(image.width, 19u);
  EXPECT_EQ(pixels, picture.pixels);
}

TEST(PngFile, HoldsColours) {
  const io::ColourPicture picture{2, 1, {255, 0, 10, 20, 30, 40}};

  const std::string bytes = io::png_bytes(picture);

  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_TRUE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()));
  EXPECT_EQ(image.format & PNG_FORMAT_FLAG_COLOR, std::uint32_t{PNG_FORMAT_FLAG_COLOR});
  image.format = PNG_FORMAT_RGB;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(image));
  ASSERT_TRUE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr));
  EXPECT_EQ(pixels, picture.pixels);
}

TEST(PngFile, NamesTheFileThatCannotBeWritten) {
  const io::GreyPicture picture{400, 400, std::vector<std::uint8_t>(160000)};
  for (const char* path : {"/no/such/folder/p.png", "/dev/full"}) {
    try {
      io::write_png(path, picture);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::io);
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    }
  }
}

TEST(PngFile, RefusesAPictureWithoutItsPixels) {
  const TempFolder folder;
  EXPECT_THROW(io::write_png(folder / "p.png", io::GreyPicture{4, 4, {1, 2, 3}}), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "p.png"));
}

}  // namespace
}  // namespace feldspar
