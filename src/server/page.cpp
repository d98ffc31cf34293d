#include "server/page.h"

#include <sodium.h>

#include <array>
#include <string>
#include <vector>

#include "server/embedded_files.h"

namespace quire {
namespace {

constexpr std::string_view kFolder = "/page/";

// Nothing but this server's own files runs or is shown, and no other site can put the page into a frame.
// Trusted Types: a browser that knows them refuses to make markup of a string, whatever a script does.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

struct PageFile {
  std::string_view name, text;
  std::string content_type, etag;
};

std::string content_type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "text/javascript; charset=utf-8";
}

std::string etag_of(std::string_view text) {
  std::array<unsigned char, 16> digest;
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), nullptr, 0);
  std::string etag = "\"";
  for (const unsigned char byte : digest) etag += fmt::format("{:02x}", byte);
  return etag + '"';
}

const PageFile* find_file(std::string_view name) {
  static const std::vector<PageFile> files = [] {
    std::vector<PageFile> all;
    for (const EmbeddedFile& source : page_files())
      all.push_back({source.name, source.text, content_type_of(source.name), etag_of(source.text)});
    return all;
  }();
  for (const PageFile& file : files) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

}  // namespace

HttpResponse page_response(std::string_view path, std::string_view if_none_match) {
  const bool in_folder = path.starts_with(kFolder);
  const PageFile* file = find_file(in_folder ? path.substr(kFolder.size()) : "index.html");
  if (file == nullptr) {
    return error_response({404, "the page has no such file", {}, "not_found", 0});
  }
  HttpResponse response{.status = 200,
                        .content_type = file->content_type,
                        .headers = {{"ETag", file->etag},
                                    {"Cache-Control", "no-cache"},  // asks each time, and mostly gets a 304
                                    {"Content-Security-Policy", std::string(kPolicy)},
                                    {"Cross-Origin-Opener-Policy", "same-origin"},
                                    {"Cross-Origin-Resource-Policy", "same-origin"},
                                    {"Referrer-Policy", "no-referrer"},
                                    {"X-Content-Type-Options", "nosniff"}},
                        .body = {}};
  // A list of tags, or a star.
  if (if_none_match == "*" || if_none_match.find(file->etag) != std::string_view::npos) {
    response.status = 304;
  } else {
    response.body = file->text;
  }
  return response;
}

}  // namespace quire
