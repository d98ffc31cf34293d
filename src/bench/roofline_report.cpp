#include "bench/roofline_report.h"

#include <fmt/format.h>

#include "server/json/json_writer.h"

namespace quire {
namespace {

std::string time_text(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.1f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.2f} ms", seconds * 1e3);
  return fmt::format("{:.2f} s", seconds);
}

double total_bytes(const Work& work) { return work.memory_bytes + work.cache_bytes; }
double total_ops(const Work& work) { return work.f32_ops + work.int8_ops + work.bf16_ops; }

std::string rate_text(double amount, double seconds) {
  return amount > 0 && seconds > 0 ? fmt::format("{:.1f}", amount / seconds * 1e-9) : "-";
}

void write_row(JsonWriter& json, const RooflineRow& row) {
  json.begin_object();
  json.field("name", row.name);
  json.field("shape", row.shape);
  json.field("seconds", row.seconds);
  json.field("memory_bytes", row.work.memory_bytes);
  json.field("cache_bytes", row.work.cache_bytes);
  json.field("f32_ops", row.work.f32_ops);
  json.field("int8_ops", row.work.int8_ops);
  json.field("bf16_ops", row.work.bf16_ops);
  json.field("bound", to_string(row.bound));
  if (row.bound == Bound::kNone) {
    json.null_field("share");
  } else {
    json.field("share", row.share);
  }
  json.end_object();
}

void write_rows(JsonWriter& json, std::string_view name, const std::vector<RooflineRow>& rows) {
  json.key(name);
  json.begin_array();
  for (const RooflineRow& row : rows) write_row(json, row);
  json.end_array();
}

}  // namespace

std::string machine_text(const RooflineReport& report) {
  std::string text = fmt::format("{} threads read {:.1f} GB/s\n", report.threads, report.bandwidth * 1e-9);
  for (const NamedPeak& peak : report.peaks) {
    text += fmt::format("{:<28} {:>8.1f} Gop/s\n", peak.name, peak.rate * 1e-9);
  }
  return text;
}

std::string header_text() {
  return fmt::format("\n{:<24} {:<42} {:>10} {:>7} {:>8}  {:<10} {:>6}\n", "", "", "time", "GB/s", "Gop/s",
                     "bound", "share");
}

std::string row_text(const RooflineRow& row) {
  const std::string share = row.bound == Bound::kNone ? "-" : fmt::format("{:.0f}%", row.share * 100);
  return fmt::format("{:<24} {:<42} {:>10} {:>7} {:>8}  {:<10} {:>6}\n", row.name, row.shape,
                     time_text(row.seconds), rate_text(total_bytes(row.work), row.seconds),
                     rate_text(total_ops(row.work), row.seconds), to_string(row.bound), share);
}

std::string to_json(const RooflineReport& report) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.field("threads", report.threads);
  json.field("bandwidth_gbs", report.bandwidth * 1e-9);
  json.field("isa", report.isa);
  json.key("peaks");
  json.begin_array();
  for (const NamedPeak& peak : report.peaks) {
    json.begin_object();
    json.field("name", peak.name);
    json.field("gops", peak.rate * 1e-9);
    json.end_object();
  }
  json.end_array();
  write_rows(json, "kernels", report.kernels);
  write_rows(json, "model", report.model);
  json.end_object();
  return text + "\n";
}

}  // namespace quire
