// What `quire bench paper` leaves behind: results.json, a table, and figures.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "bench/paper_results.h"

namespace quire {

// A figure that the evaluation is known by, and what it was found on.
struct Headline {
  std::string name;  // of the field in results.json
  double value = 0;
  std::string workload;
};

// waste_pct, rate_vs_*, parallel_saved_pct, beam_saved_pct and shared_prefix_speedup: those for which there
// are results.
std::vector<Headline> headlines(const PaperResults& results);

// The headlines as fields, "workloads" with the same names, and everything else in lists: costs, curves,
// memory, sharing, block_sizes, recovery, attention.
std::string to_json(const PaperResults& results);

// Lines of text: the same, but for the curves' points.
std::string to_table(const PaperResults& results);

// Draws all figures into `folder` as PNG files by Python's matplotlib. Errors: those of run_plot_script.
Expected<> draw_figures(const PaperResults& results, const std::string& folder);

}  // namespace quire
