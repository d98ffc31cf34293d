#include "grammar/string_format.h"

#include <string>
#include <vector>

namespace quire {
namespace {

struct Format {
  std::string name;
  std::string pattern;
};

const std::vector<Format>& formats() {
  static const std::vector<Format> table = [] {
    // February has 28 days here: whether a year leaps is no matter for a pattern.
    const std::string date =
        "(19|20)[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|"
        "02-(0[1-9]|1[0-9]|2[0-8]))";
    const std::string time =
        "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])";
    const std::string label = "[a-z0-9]{1,24}(-[a-z0-9]{1,24}){0,2}";
    const std::string host = "(" + label + "\\.){1,3}[a-z]{2,10}";
    const std::string octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9][0-9]|[0-9])";
    std::vector<Format> all = {
        {"date", date},
        {"time", time},
        {"date-time", date + "T" + time},
        {"duration",
         "P([1-9][0-9]{0,3}W|[1-9][0-9]{0,3}D|([1-9][0-9]{0,3}D)?T([1-9][0-9]?H([0-9]{1,2}M([0-9]{1,2}S)?)?"
         "|"
         "[1-9][0-9]?M([0-9]{1,2}S)?|[1-9][0-9]?S))"},
        {"email", "[A-Za-z0-9_+-]{1,24}(\\.[A-Za-z0-9_+-]{1,24}){0,2}@" + host},
        {"hostname", host},
        {"ipv4", octet + "(\\." + octet + "){3}"},
        {"ipvanyaddress", octet + "(\\." + octet + "){3}"},  // pydantic's, of ipv4 or ipv6
        {"ipv6", "[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}"},
        {"uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"},
        {"uri", "https?://" + host + "(:[1-9][0-9]{1,3})?(/[A-Za-z0-9._~-]{1,32}){0,4}/?"},
    };
    for (const char version : std::string_view("12345678")) {  // RFC 9562, 4: pydantic's uuid4 and so on
      all.push_back({std::string("uuid") + version, std::string("[0-9a-f]{8}-[0-9a-f]{4}-") + version +
                                                        "[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"});
    }
    return all;
  }();
  return table;
}

}  // namespace

std::string_view format_pattern(std::string_view format) {
  for (const auto& [name, pattern] : formats()) {
    if (name == format) return pattern;
  }
  return {};
}

}  // namespace quire
