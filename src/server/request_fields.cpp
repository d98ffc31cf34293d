#include "server/request_fields.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace quire {
namespace {

std::unexpected<Error> wrong_type(const JsonField& field, std::string_view expected) {
  return fail_param(std::string(field.name), "{} must be {}, but is {}", field.name, expected,
                    type_name(field.value));
}

std::unexpected<Error> unknown_field(std::string_view name, std::span<const FieldRule> rules,
                                     std::string_view owner) {
  std::vector<std::string_view> names;
  for (const auto& rule : rules) names.push_back(rule.name);
  const std::string_view nearest = nearest_name(name, names);
  const std::string place = owner.empty() ? std::string() : fmt::format(" in {}", owner);
  if (nearest.empty()) return fail_param(excerpt(name), "unknown field '{}'{}", excerpt(name), place);
  return fail_param(excerpt(name), "unknown field '{}'{}; did you mean '{}'?", excerpt(name), place,
                    nearest);
}

// Seeds are "any 64-bit integer": one above the signed range means the same bits.
Expected<int64_t> read_seed(const JsonField& field) {
  if (field.value.is_uint64() && !field.value.is_int64()) {
    return std::bit_cast<int64_t>(field.value.get_uint64().value_unsafe());
  }
  return read_integer(field);
}

// Reads one scalar of the table into the member that its row names, within its range.
Expected<> read_sampling_field(const Field<SamplingParams>& row, const JsonField& field,
                               SamplingParams& params) {
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
          constexpr bool kWide =
              std::is_same_v<Member, int64_t> || std::is_same_v<Member, std::optional<int64_t>>;
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
  if (!field.value.is_array()) return wrong_type(field, "a string or an array of strings");
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

Expected<> read_fields(const JsonFields& fields, std::span<const FieldRule> rules, std::string_view owner) {
  for (const auto member : fields.object) {
    const auto rule =
        std::find_if(rules.begin(), rules.end(), [&](const auto& r) { return r.name == member.key; });
    if (rule == rules.end() && fields.ignore_unknown) continue;
    if (rule == rules.end()) return unknown_field(member.key, rules, owner);
    if (member.value.is_null()) continue;
    if (auto read = rule->read({rule->name, member.value, fields.ignore_unknown}); !read) return read;
  }
  return {};
}

Expected<bool> read_boolean(const JsonField& field) {
  if (!field.value.is_bool()) return wrong_type(field, "true or false");
  return field.value.get_bool().value_unsafe();
}

Expected<int64_t> read_integer(const JsonField& field) {
  if (!field.value.is_int64()) {
    if (!field.value.is_uint64()) return wrong_type(field, "an integer");
    return fail_param(std::string(field.name), "{} is too large: {}", field.name,
                      field.value.get_uint64().value_unsafe());
  }
  return field.value.get_int64().value_unsafe();
}

Expected<double> read_number(const JsonField& field) {
  if (!field.value.is_number()) return wrong_type(field, "a number");
  return field.value.get_double().value_unsafe();
}

Expected<std::string> read_string(const JsonField& field) {
  if (!field.value.is_string()) return wrong_type(field, "a string");
  return std::string(field.value.get_string().value_unsafe());
}

Expected<JsonArray> read_array(const JsonField& field) {
  if (!field.value.is_array()) return wrong_type(field, "an array");
  return field.value.get_array().value_unsafe();
}

Expected<JsonFields> read_object(const JsonField& field) {
  if (!field.value.is_object()) return wrong_type(field, "an object");
  return JsonFields{field.value.get_object().value_unsafe(), field.ignore_unknown};
}

Expected<std::vector<TokenId>> read_token_ids(const JsonField& field) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  std::vector<TokenId> ids;
  for (const JsonValue item : *array) {
    const auto id = read_integer({field.name, item});
    if (!id) {
      return fail_param(std::string(field.name), "each token id of {} must be an integer, but one is {}",
                        field.name, type_name(item));
    }
    if (!std::in_range<TokenId>(*id)) {
      return fail_param(std::string(field.name), "{} has {}, which is no token id", field.name, *id);
    }
    ids.push_back(static_cast<TokenId>(*id));
  }
  return ids;
}

std::string excerpt(std::string_view text) {
  constexpr size_t kShown = 64;
  if (text.size() <= kShown) return std::string(text);
  return fmt::format("{}...", text.substr(0, complete_utf8_length(text.substr(0, kShown))));
}

namespace {

// A rule that stores what `read` returns.
template <class T, class Target>
std::function<Expected<>(const JsonField&)> store(Expected<T> (*read)(const JsonField&), Target& target) {
  return [read, &target](const JsonField& field) -> Expected<> {
    auto value = read(field);
    if (!value) return std::unexpected(value.error());
    target = std::move(*value);
    return {};
  };
}

}  // namespace

std::function<Expected<>(const JsonField&)> into(bool& target) { return store(read_boolean, target); }
std::function<Expected<>(const JsonField&)> into(std::optional<bool>& target) {
  return store(read_boolean, target);
}
std::function<Expected<>(const JsonField&)> into(std::string& target) { return store(read_string, target); }
std::function<Expected<>(const JsonField&)> into(std::optional<std::string>& target) {
  return store(read_string, target);
}
std::function<Expected<>(const JsonField&)> into(std::optional<int64_t>& target) {
  return store(read_integer, target);
}
std::function<Expected<>(const JsonField&)> into(std::vector<TokenId>& target) {
  return store(read_token_ids, target);
}

FieldRule sampling_rule(std::string_view name, SamplingParams& params) {
  const auto row = std::ranges::find(sampling_fields(), name, &Field<SamplingParams>::name);
  CHECK(row != sampling_fields().end(), "there is no field {}", name);
  return {row->name,
          [row, &params](const JsonField& field) { return read_sampling_field(*row, field, params); }};
}

void add_sampling_rules(std::vector<FieldRule>& rules, SamplingParams& params) {
  for (const auto& row : sampling_fields()) rules.push_back(sampling_rule(row.name, params));
  rules.push_back({"stop", [&params](const JsonField& field) { return read_stop(field, params.stop); }});
  rules.push_back({"early_stopping", [&params](const JsonField& field) {
                     return read_early_stopping(field, params.early_stopping);
                   }});
  rules.push_back({"stop_token_ids", into(params.stop_token_ids)});
  rules.push_back({"logit_bias", [&params](const JsonField& field) {
                     return read_logit_bias(field, params.logit_bias);
                   }});
}

}  // namespace quire
