#include "bench/cost_model_json.h"

#include "server/json/json_document.h"

namespace quire {
namespace {

// The units of work by their names.
struct Unit {
  std::string_view name;
  double CostModel::*seconds;
};
constexpr Unit kUnits[] = {{"sample_s", &CostModel::sample_s},
                           {"context_s", &CostModel::context_s},
                           {"pair_s", &CostModel::pair_s},
                           {"copy_s", &CostModel::copy_s}};

Expected<double> read_seconds(const JsonObject& object, std::string_view name) {
  double value = 0;
  if (object[name].get(value) != simdjson::SUCCESS || !(value >= 0)) {
    return fail(ErrorCode::kInvalidArgument, "a cost model's {} must be a number of at least 0", name);
  }
  return value;
}

Expected<std::string> read_text(const JsonObject& object, std::string_view name) {
  std::string_view text;
  if (object[name].get(text) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "a cost model's {} must be a string", name);
  }
  return std::string(text);
}

Expected<std::vector<CostModel::Point>> read_points(const JsonObject& object) {
  JsonArray array;
  if (object["points"].get(array) != simdjson::SUCCESS || array.size() == 0) {
    return fail(ErrorCode::kInvalidArgument, "a cost model must have points, a list of objects");
  }
  std::vector<CostModel::Point> points;
  for (const JsonValue value : array) {
    JsonObject entry;
    int64_t tokens = 0;
    if (value.get(entry) != simdjson::SUCCESS || entry["tokens"].get(tokens) != simdjson::SUCCESS ||
        tokens < 1 || (!points.empty() && tokens <= points.back().tokens)) {
      return fail(ErrorCode::kInvalidArgument,
                  "each point of a cost model must have tokens, at least 1 and more than the one before");
    }
    const auto seconds = read_seconds(entry, "seconds");
    if (!seconds) return std::unexpected(seconds.error());
    points.push_back({tokens, *seconds});
  }
  return points;
}

}  // namespace

void write_cost_model(const CostModel& model, JsonWriter& json) {
  json.begin_object();
  json.field("name", model.name);
  json.field("source", model.source);
  json.key("points");
  json.begin_array();
  for (const auto& [tokens, seconds] : model.points) {
    json.begin_object();
    json.field("tokens", tokens);
    json.field("seconds", seconds);
    json.end_object();
  }
  json.end_array();
  for (const Unit& unit : kUnits) json.field(unit.name, model.*unit.seconds);
  json.end_object();
}

std::string to_json(const CostModel& model) {
  std::string text;
  JsonWriter json(text);
  write_cost_model(model, json);
  return text + "\n";
}

Expected<CostModel> parse_cost_model(std::string_view text) {
  const auto document = JsonDocument::parse(text);
  if (!document) return std::unexpected(document.error());
  const JsonObject root = document->root();
  CostModel model;
  auto name = read_text(root, "name");
  if (!name) return std::unexpected(name.error());
  model.name = std::move(*name);
  auto source = read_text(root, "source");
  if (!source) return std::unexpected(source.error());
  model.source = std::move(*source);
  auto points = read_points(root);
  if (!points) return std::unexpected(points.error());
  model.points = std::move(*points);
  for (const Unit& unit : kUnits) {
    const auto seconds = read_seconds(root, unit.name);
    if (!seconds) return std::unexpected(seconds.error());
    model.*unit.seconds = *seconds;
  }
  return model;
}

}  // namespace quire
