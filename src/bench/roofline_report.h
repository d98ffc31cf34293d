// What `quire bench roofline` says: text, JSON, and a picture.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "bench/roofline.h"

namespace quire {

struct NamedPeak {
  std::string name;
  double rate = 0;  // operations a second
};

struct RooflineReport {
  std::string isa;
  int threads = 0;
  double bandwidth = 0;          // bytes a second
  std::vector<NamedPeak> peaks;  // of each kind of arithmetic
  std::vector<RooflineRow> kernels;
  std::vector<RooflineRow> model;
};

// Lines of text, each with its newline.
std::string machine_text(const RooflineReport& report);
std::string header_text();
std::string row_text(const RooflineRow& row);

// One object: threads, bandwidth_gbs, isa, peaks, kernels, model.
std::string to_json(const RooflineReport& report);

// Draws the report as a PNG with Python's matplotlib, which must be installed (script/setup --test does,
// and Debian's python3-matplotlib). kUnsupported if it is not; kIo if the file cannot be written.
Expected<> plot(const RooflineReport& report, const std::string& path);

}  // namespace quire
