#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "bench/roofline_report.h"

extern "C" char** environ;

namespace quire {
namespace {

constexpr int kNoMatplotlib = 3;  // the script's exit status

// Reads the report's JSON from the file named first, and draws into the file named second.
constexpr const char* kScript = R"py(
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

// A file of this name and contents that goes away.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view contents) {
    path_ = (std::filesystem::temp_directory_path() / "quire-roofline-XXXXXX").string();
    const int file = mkstemp(path_.data());
    if (file < 0) return;
    written_ = write(file, contents.data(), contents.size()) == static_cast<ssize_t>(contents.size());
    close(file);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool written() const { return written_; }
  std::string& path() { return path_; }

 private:
  std::string path_;
  bool written_ = false;
};

}  // namespace

Expected<> plot(const RooflineReport& report, const std::string& path) {
  TemporaryFile json(to_json(report));
  if (!json.written()) return fail(ErrorCode::kIo, "cannot write {}", json.path());
  std::string python = "python3", flag = "-c", script = kScript, target = path;
  const std::array<char*, 6> arguments{python.data(),      flag.data(),   script.data(),
                                       json.path().data(), target.data(), nullptr};
  pid_t child = 0;
  if (posix_spawnp(&child, "python3", nullptr, nullptr, arguments.data(), environ) != 0) {
    return fail(ErrorCode::kUnsupported,
                "--plot needs python3 with matplotlib: apt-get install python3-matplotlib");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoMatplotlib) {
    return fail(
        ErrorCode::kUnsupported,
        "--plot needs matplotlib for python3: apt-get install python3-matplotlib, or run with a Python "
        "first in PATH that has it");
  }
  return fail(ErrorCode::kIo, "cannot write the picture to {} (python3 says above why)", path);
}

}  // namespace quire
