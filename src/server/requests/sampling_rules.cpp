#include "server/requests/sampling_rules.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace quire {
namespace {

using Row = Field<SamplingParams>;

constexpr std::string_view kSeedSchema =
    R"({"type":"integer","minimum":-9223372036854775808,"maximum":18446744073709551615})";
constexpr std::string_view kStopSchema =
    R"({"anyOf":[{"type":"string","minLength":1,"maxLength":1024},)"
    R"({"type":"array","maxItems":16,"items":{"type":"string","minLength":1,"maxLength":1024}}]})";
constexpr std::string_view kStopTokenIdsSchema =
    R"({"type":"array","maxItems":1024,"items":{"type":"integer","minimum":0,"maximum":2147483647}})";
constexpr std::string_view kLogitBiasSchema =
    R"({"type":"object","maxProperties":1024,"propertyNames":{"pattern":"^[0-9]{1,10}$"},)"
    R"("additionalProperties":{"type":"number","minimum":-100,"maximum":100}})";

template <class Member>
constexpr bool kIsWide = std::is_same_v<Member, int64_t> || std::is_same_v<Member, std::optional<int64_t>>;

template <class Member>
constexpr std::string_view type_of() {
  if constexpr (std::is_same_v<Member, bool>) return "boolean";
  if constexpr (std::is_same_v<Member, std::string>) return "string";
  return std::is_same_v<Member, double> ? "number" : "integer";
}

FieldSchema schema_of(const Row& row) {
  return std::visit(
      [&](auto member) -> FieldSchema {
        const auto value = SamplingParams{}.*member;
        using Member = std::remove_cvref_t<decltype(value)>;
        if constexpr (kIsWide<Member>) {
          return {.json = kSeedSchema};
        } else {
          FieldSchema schema{.type = type_of<Member>(),
                             .min = row.min,
                             .max = row.max,
                             .min_exclusive = row.min_exclusive,
                             .choices = row.choices};
          if constexpr (std::is_arithmetic_v<Member>) schema.default_value = value;
          return schema;
        }
      },
      row.member);
}

// Seeds are "any 64-bit integer": one above the signed range means the same bits.
Expected<int64_t> read_seed(const JsonField& field) {
  if (field.value.is_uint64() && !field.value.is_int64()) {
    return std::bit_cast<int64_t>(field.value.get_uint64().value_unsafe());
  }
  return read_integer(field);
}

// Reads one scalar of the table into the member that its row names, within its range.
Expected<> read_sampling_field(const Row& row, const JsonField& field, SamplingParams& params) {
  return std::visit(
      [&](auto member) -> Expected<> {
        auto& target = params.*member;
        using Member = std::remove_reference_t<decltype(target)>;
        if constexpr (std::is_same_v<Member, bool>) {
          auto value = read_boolean(field);
          if (!value) return std::unexpected(value.error());
          target = *value;
        } else if constexpr (std::is_same_v<Member, std::string>) {
          auto value = read_string(field);
          if (!value) return std::unexpected(value.error());
          target = std::move(*value);
        } else if constexpr (std::is_same_v<Member, double>) {
          const auto value = read_number(field);
          if (!value) return std::unexpected(value.error());
          if (auto checked = row.check(*value); !checked) return checked;
          target = *value;
        } else {
          constexpr bool kWide = kIsWide<Member>;
          const auto value = kWide ? read_seed(field) : read_integer(field);
          if (!value) return std::unexpected(value.error());
          if (auto checked = row.check(static_cast<double>(*value)); !checked) return checked;
          if constexpr (kWide) {
            target = *value;
          } else {
            target = static_cast<int32_t>(*value);  // the rows' ranges lie within 32 bits
          }
        }
        return {};
      },
      row.member);
}

Expected<> read_stop(const JsonField& field, std::vector<std::string>& stop) {
  stop.clear();
  if (field.value.is_string()) {
    stop.emplace_back(field.value.get_string().value_unsafe());
    return {};
  }
  if (!field.value.is_array()) {
    return fail_param("stop", "stop must be a string or an array of strings, but is {}",
                      type_name(field.value));
  }
  const JsonArray items = field.value.get_array().value_unsafe();  // lives through the loop
  for (const JsonValue item : items) {
    if (stop.size() == kMaxStopStrings) {
      return fail_param("stop", "stop takes at most {} strings", kMaxStopStrings);
    }
    auto text = read_string({"each of stop", item});
    if (!text) return fail_param("stop", "{}", text.error().message);
    stop.push_back(std::move(*text));
  }
  return {};
}

Expected<> read_early_stopping(const JsonField& field, EarlyStopping& target) {
  std::string_view text;
  if (field.value.is_bool()) {
    target = field.value.get_bool().value_unsafe() ? EarlyStopping::kTrue : EarlyStopping::kFalse;
    return {};
  }
  if (field.value.get_string().get(text) != simdjson::SUCCESS || text != "never") {
    return fail_param("early_stopping", "early_stopping must be true, false or \"never\"");
  }
  target = EarlyStopping::kNever;
  return {};
}

// {"123": 1.5, ...}
Expected<> read_logit_bias(const JsonField& field, std::vector<LogitBias>& biases) {
  const auto fields = read_object(field);
  if (!fields) return std::unexpected(fields.error());
  if (fields->object.size() > kMaxLogitBiases) {
    return fail_param("logit_bias", "logit_bias takes at most {} tokens", kMaxLogitBiases);
  }
  for (const auto member : fields->object) {
    LogitBias bias;
    const char* end = member.key.data() + member.key.size();
    const auto [stopped, error] = std::from_chars(member.key.data(), end, bias.token);
    if (error != std::errc() || stopped != end) {
      return fail_param("logit_bias", "logit_bias has the key '{}', which is no token id",
                        excerpt(member.key));
    }
    const auto value = read_number({"each value of logit_bias", member.value});
    if (!value) return fail_param("logit_bias", "{}", value.error().message);
    bias.bias = static_cast<float>(*value);
    biases.push_back(bias);
  }
  return {};
}

}  // namespace

FieldRule sampling_rule(std::string_view name, SamplingParams& params) {
  const auto row = std::ranges::find(sampling_fields(), name, &Row::name);
  CHECK(row != sampling_fields().end(), "there is no field {}", name);
  const auto read = [row, &params](const JsonField& field) {
    return read_sampling_field(*row, field, params);
  };
  return {row->name, {schema_of(*row), read}, row->help};
}

void add_sampling_rules(std::vector<FieldRule>& rules, SamplingParams& params,
                        std::span<const std::string_view> except) {
  for (const auto& row : sampling_fields()) {
    if (std::ranges::find(except, row.name) != except.end()) continue;
    rules.push_back(sampling_rule(row.name, params));
  }
  rules.push_back(
      {"stop",
       {{.json = kStopSchema}, [&params](const JsonField& field) { return read_stop(field, params.stop); }},
       "a string, or several, at which the text ends; up to 1,024 bytes each"});
  rules.push_back(
      {"early_stopping",
       {{.json = R"({"enum":[true,false,"never"]})"},
        [&params](const JsonField& field) { return read_early_stopping(field, params.early_stopping); }},
       "of beams: when the search may end"});
  FieldReader stop_token_ids = into(params.stop_token_ids);
  stop_token_ids.schema.json = kStopTokenIdsSchema;
  rules.push_back({"stop_token_ids", std::move(stop_token_ids), "tokens at which the text ends"});
  rules.push_back(
      {"logit_bias",
       {{.json = kLogitBiasSchema},
        [&params](const JsonField& field) { return read_logit_bias(field, params.logit_bias); }},
       "what is added to the logits of tokens, by their ids"});
}

}  // namespace quire
