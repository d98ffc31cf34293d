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

figures = []
matplotlib.rcParams["figure.max_open_warning"] = 0

def save(figure, name):
    for axis in figure.axes:
        for scale in (axis.xaxis, axis.yaxis):
            if scale.get_scale() == "log":
                scale.set_major_formatter("{x:g}")
                low, high = scale.get_view_interval()
                scale.set_minor_formatter("{x:g}" if high < 10 * low else "")
    figures.append((figure, os.path.join(folder, name + ".png")))

# Drawing takes most of the time: each processor draws its share.
def draw_all():
    count = min(len(os.sched_getaffinity(0)), len(figures))
    shares = []
    for first in range(count):
        share = os.fork()
        if share == 0:
            try:
                for figure, path in figures[first::count]:
                    figure.tight_layout()
                    figure.savefig(path, dpi=110, format="png")
                os._exit(0)
            except Exception as error:
                print(error, file=sys.stderr, flush=True)
            finally:
                os._exit(1)
        shares.append(share)
    if any([os.waitpid(share, 0)[1] for share in shares]):
        sys.exit(1)

def pace(group):
    return "measured" if group["measured"] else "simulated"

def decoding(group):
    return f'{"beams" if group["beams"] else "n"} = {group["n"]}'

# Normalized latency, times of tokens, and goodput against the request rate. Beams come all at the end.
for group in results["curves"]:
    columns = [("normalized_latency_s", "normalized latency, s/token")]
    if not group["beams"]:
        columns += [("p99_ttft_s", "p99 time to first token, s"),
                    ("p99_tpot_s", "p99 time per output token, s"),
                    ("goodput", "requests/s that meet the objectives")]
    figure, axes = pyplot.subplots(1, len(columns), figsize=(5 * len(columns), 4), squeeze=False)
    for axis, (field, label) in zip(axes[0], columns):
        for curve in group["curves"]:
            points = curve["points"]
            axis.plot([point["rate"] for point in points], [point[field] for point in points], marker="o",
                      markersize=3, color="tab:purple" if curve["prefix_cache"] else colors[curve["policy"]],
                      label=curve["name"])
        axis.set(xlabel="requests/s", ylabel=label, yscale="linear" if field == "goodput" else "log")
        axis.grid(True, which="both", alpha=0.2)
    axes[0][0].axhline(group["limit_s"], color="black", linewidth=0.8, linestyle="--")
    axes[0][0].legend(fontsize=8)
    figure.suptitle(f'{group["workload"]}, {decoding(group)}: {group["machine"]}, {pace(group)}',
                    fontsize=9 if group["beams"] else 12)
    save(figure, slug("latency", group["workload"], decoding(group), pace(group), group["machine"]))

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
    def line_of(row):
        return row["method"], row["workload"], pace(row)
    for key in sorted({line_of(row) for row in rows}):
        line = [row for row in rows if line_of(row) == key]
        axis.plot([row["width"] for row in line], [row["saved_pct"] for row in line], marker="o",
                  label=", ".join(key))
    axis.set(xlabel="sequences of a request", ylabel="% of blocks saved by sharing")
    axis.legend(fontsize=8)
    save(figure, "sharing")

# Block sizes.
def place(row):
    return row["workload"], row["measured"], row["machine"]

for key in sorted({place(row) for row in results["block_sizes"]}):
    rows = [row for row in results["block_sizes"] if place(row) == key]
    figure, axis = pyplot.subplots(figsize=(7, 4))
    sizes = [row["block_size"] for row in rows]
    axis.plot(sizes, [row["normalized_latency_s"] for row in rows], marker="o", color="tab:blue")
    axis.set_xscale("log", base=2)
    axis.set(yscale="log", xlabel="tokens in a block", ylabel="normalized latency, s/token",
             title=f'{key[0]}, {rows[0]["rate"]:.2f} requests/s: {key[2]}, {pace(rows[0])}')
    axis.title.set_fontsize(9)
    waste = axis.twinx()
    waste.plot(sizes, [row["waste_pct"] for row in rows], marker="s", color="tab:orange")
    waste.set(ylabel="waste, % of the slots taken (orange)")
    save(figure, slug("block-size", key[0], pace(rows[0])))

# Recovery of a preempted sequence.
for machine in sorted({row["machine"] for row in results["recovery"]}):
    rows = [row for row in results["recovery"] if row["machine"] == machine]
    figure, axis = pyplot.subplots(figsize=(7, 4))
    sizes = [row["block_size"] for row in rows]
    lines = (("recompute", lambda row: row["recompute_s"]), ("swap out", lambda row: row["swap_out_s"]),
             ("swap in", lambda row: row["swap_in_s"]),
             ("swap out and in", lambda row: row["swap_out_s"] + row["swap_in_s"]))
    for label, value in lines:
        axis.plot(sizes, [1e3 * value(row) for row in rows], marker="o", label=label)
    axis.set_xscale("log", base=2)
    axis.set(yscale="log", xlabel="tokens in a block", ylabel="ms",
             title=f'{rows[0]["num_tokens"]} tokens: {machine}')
    axis.legend(fontsize=8)
    save(figure, slug("recovery", machine))

rows = results["preemption"]
if rows:
    figure, axis = pyplot.subplots(figsize=(7, 4))
    for recovery in ("recompute", "swap"):
        way = [row for row in rows if row["recovery"] == recovery]
        axis.plot([row["block_size"] for row in way], [row["normalized_latency_s"] for row in way],
                  marker="o", label=recovery)
        for row in way:
            point = (row["block_size"], row["normalized_latency_s"])
            axis.annotate(f'{row["num_preemptions"]} times', point, xytext=(0, 6),
                          textcoords="offset points", ha="center", fontsize=7)
    axis.set_xscale("log", base=2)
    axis.set(xlabel="tokens in a block", ylabel="normalized latency, s/token",
             title=f'{rows[0]["workload"]}: {rows[0]["machine"]}')
    axis.title.set_fontsize(9)
    axis.set_ylim(bottom=0)
    axis.legend(fontsize=8)
    save(figure, "preemption")

# The attention kernel, paged and in one range.
rows = results["attention"]
if rows:
    figure, axis = pyplot.subplots(figsize=(8, 4))
    names = [f'{row["num_sequences"]} of {row["context_len"]}' for row in rows]
    for shift, field, label, color in ((-0.2, "contiguous_s", "one range", "tab:gray"),
                                       (0.2, "paged_s", f'blocks of {rows[0]["block_size"]}', "tab:blue")):
        axis.bar([at + shift for at in range(len(rows))], [1e6 * row[field] for row in rows], 0.4,
                 label=label, color=color)
    axis.set_xticks(range(len(rows)), names, fontsize=8)
    axis.set(yscale="log", ylabel="us for a layer", xlabel="sequences and their contexts",
             title="Attention of decodes")
    axis.legend(fontsize=8)
    save(figure, "attention")

draw_all()
)py";

}  // namespace

Expected<> draw_figures(const PaperResults& results, const std::string& folder) {
  return run_plot_script(kPaperScript, to_json(results), folder);
}

}  // namespace quire
