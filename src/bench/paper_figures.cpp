#include "bench/paper_report.h"
#include "bench/plot_script.h"

namespace quire {
namespace {

// Reads results.json from the file named first, and draws into the folder named second: a file a figure.
constexpr const char* kPaperScript = R"py(
import json, os, re, sys
try:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
except ImportError:
    sys.exit(3)
results = json.load(open(sys.argv[1]))
folder = sys.argv[2]
colors = {"paged": "tab:blue", "reserve-max": "tab:red", "reserve-pow2": "tab:orange",
          "reserve-oracle": "tab:green"}

def slug(*parts):
    return re.sub(r"[^a-z0-9]+", "-", "-".join(str(part) for part in parts).lower()).strip("-")

def save(figure, name):
    figure.tight_layout()
    figure.savefig(os.path.join(folder, name + ".png"), dpi=110, format="png")
    pyplot.close(figure)

def pace(group):
    return "measured" if group["measured"] else "simulated"

# Normalized latency, time to the first token and goodput against the request rate.
for group in results["curves"]:
    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4))
    columns = (("normalized_latency_s", "normalized latency, s/token"),
               ("p99_ttft_s", "p99 time to first token, s"),
               ("goodput", "requests/s that meet the objectives"))
    for axis, (field, label) in zip(axes, columns):
        for curve in group["curves"]:
            points = curve["points"]
            axis.plot([point["rate"] for point in points], [point[field] for point in points], marker="o",
                      markersize=3, color=colors[curve["policy"]], label=curve["policy"])
        axis.set(xlabel="requests/s", ylabel=label, yscale="linear" if field == "goodput" else "log")
        axis.grid(True, which="both", alpha=0.2)
    axes[0].axhline(group["limit_s"], color="black", linewidth=0.8, linestyle="--")
    axes[0].legend(fontsize=8)
    figure.suptitle(f'{group["workload"]}, n = {group["n"]}: {group["machine"]}, {pace(group)}')
    save(figure, slug("latency", group["workload"], "n", group["n"], pace(group), group["machine"]))

# What the pool is taken by.
uses = (("tokens_pct", "tokens", "tab:blue"), ("reserved_pct", "reserved", "tab:green"),
        ("internal_pct", "internal waste", "tab:orange"), ("external_pct", "external waste", "tab:red"))
for key in sorted({(row["machine"], row["workload"]) for row in results["memory"]}):
    rows = [row for row in results["memory"] if (row["machine"], row["workload"]) == key]
    figure, axis = pyplot.subplots(figsize=(7, 4))
    bottoms = [0] * len(rows)
    for field, label, color in uses:
        heights = [row[field] for row in rows]
        axis.bar([row["policy"] for row in rows], heights, bottom=bottoms, color=color, label=label)
        bottoms = [bottom + height for bottom, height in zip(bottoms, heights)]
    axis.set(ylabel="% of the KV pool", title=f"{key[1]}: {key[0]}", ylim=(0, 100))
    axis.legend(fontsize=8, loc="lower right")
    save(figure, slug("memory", key[1], key[0]))

# Memory saved by sharing.
rows = results["sharing"]
if rows:
    figure, axis = pyplot.subplots(figsize=(7, 4))
    for key in sorted({(row["method"], row["workload"]) for row in rows}):
        line = [row for row in rows if (row["method"], row["workload"]) == key]
        axis.plot([row["width"] for row in line], [row["saved_pct"] for row in line], marker="o",
                  label=f"{key[0]}, {key[1]}")
    axis.set(xlabel="sequences of a request", ylabel="% of blocks saved by sharing",
             title=rows[0]["machine"])
    axis.legend(fontsize=8)
    save(figure, "sharing")

# Block sizes.
rows = results["block_sizes"]
if rows:
    figure, axis = pyplot.subplots(figsize=(7, 4))
    sizes = [row["block_size"] for row in rows]
    axis.plot(sizes, [row["normalized_latency_s"] for row in rows], marker="o", color="tab:blue")
    axis.set(xscale="log", yscale="log", xlabel="tokens in a block", ylabel="normalized latency, s/token",
             title=f'{rows[0]["workload"]}, {rows[0]["rate"]:.2f} requests/s: {rows[0]["machine"]}')
    waste = axis.twinx()
    waste.plot(sizes, [row["waste_pct"] for row in rows], marker="s", color="tab:orange")
    waste.set(ylabel="waste, % of the slots taken (orange)")
    save(figure, slug("block-size", rows[0]["workload"]))
)py";

}  // namespace

Expected<> draw_figures(const PaperResults& results, const std::string& folder) {
  return run_plot_script(kPaperScript, to_json(results), folder);
}

}  // namespace quire
