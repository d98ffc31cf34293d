#include "bench/plot_script.h"
#include "bench/roofline_report.h"

namespace quire {
namespace {

// Reads the report's JSON from the file named first, and draws into the file named second.
constexpr const char* kRooflineScript = R"py(
import json, os, sys
try:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
except ImportError:
    sys.exit(3)
report = json.load(open(sys.argv[1]))
rows = [dict(row, kind=kind) for kind in ("model", "kernels") for row in report[kind]]
bounded = [row for row in rows if row["share"] is not None]
figure, (left, right) = pyplot.subplots(1, 2, figsize=(16, max(6, 0.2 * len(bounded) + 1.5)))

# The roofline: operations a byte against operations a second.
intensities = [10 ** (exponent / 8) for exponent in range(-8, 33)]
bandwidth = report["bandwidth_gbs"]
for peak in report["peaks"]:
    left.plot(intensities, [min(peak["gops"], bandwidth * i) for i in intensities], linewidth=1,
              label=f'{peak["name"]}: {peak["gops"]:.0f} Gop/s')
colors = {"model": "black", "kernels": "tab:red"}
for kind, color in colors.items():
    points = [row for row in bounded if row["kind"] == kind and row["memory_bytes"] > 0]
    operations = [row["f32_ops"] + row["int8_ops"] + row["bf16_ops"] for row in points]
    left.scatter([ops / row["memory_bytes"] for ops, row in zip(operations, points)],
                 [ops / row["seconds"] * 1e-9 for ops, row in zip(operations, points)],
                 s=14, color=color, label=kind, zorder=3)
left.set(xscale="log", yscale="log", xlabel="operations a byte from memory", ylabel="Gop/s",
         title=f'{report["threads"]} threads, {report["isa"]}, {bandwidth:.1f} GB/s')
left.legend(fontsize=8)
left.grid(True, which="both", alpha=0.2)

labels = [f'{row["name"]}   {row["shape"]}' for row in bounded]
bars = {"memory": "tab:blue", "arithmetic": "tab:orange"}
right.barh(range(len(bounded)), [100 * row["share"] for row in bounded],
           color=[bars[row["bound"]] for row in bounded])
right.set(yticks=range(len(bounded)), xlabel="% of the bound (blue: memory, orange: arithmetic)",
          title="Share of what the machine allows")
right.set_yticklabels(labels, fontsize=7)
right.axvline(100, color="black", linewidth=0.8)
right.invert_yaxis()
figure.tight_layout()
figure.savefig(sys.argv[2], dpi=110, format="png")
)py";

}  // namespace

Expected<> plot(const RooflineReport& report, const std::string& path) {
  return run_plot_script(kRooflineScript, to_json(report), path);
}

}  // namespace quire
