#include "bench/paper.h"

#include <optional>
#include <utility>

#include "bench/measured_stages.h"
#include "bench/simulated_stages.h"

namespace quire {

Expected<PaperResults> run_paper(const PaperOptions& options, const PaperProgress& progress,
                                 const Clock& clock) {
  PaperResults results;
  results.quick = options.quick;
  Stages stages;
  SimulatedStages simulated(options.quick, options.seed, results);
  simulated.plan(stages);
  std::optional<MeasuredStages> measured;
  if (options.measure) {
    auto machine = MeasuredMachine::open(options.engine);
    if (!machine) return std::unexpected(machine.error());
    measured.emplace(options, std::move(*machine), results);
    measured->plan(stages);
  }
  if (auto done = stages.run(progress, clock); !done) return std::unexpected(done.error());
  return results;
}

}  // namespace quire
