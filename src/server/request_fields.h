// How the fields of a JSON object become members of a request: a table of rules, one row a field. A name
// without a rule is an error that suggests the nearest one, unless told otherwise; null stands for a field
// that is not there.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "config/sampling_params.h"
#include "server/json_document.h"

namespace quire {

struct JsonField {
  std::string_view name;
  JsonValue value;
  bool ignore_unknown = false;  // as JsonFields', for what is within
};

// An object whose members are fields.
struct JsonFields {
  JsonObject object;
  bool ignore_unknown = false;  // a member without a rule is passed over, not an error
};

struct FieldRule {
  std::string_view name;
  std::function<Expected<>(const JsonField& field)> read;  // the value is not null
};

// Applies to each member the first rule of its name. `owner` is what a message calls the object, e.g.
// "stream_options"; empty: the request itself.
Expected<> read_fields(const JsonFields& fields, std::span<const FieldRule> rules,
                       std::string_view owner = {});

// The value as one type, or an error that says what it is instead. No type stands in for another: 1.0 is no
// integer, true is no number.
Expected<bool> read_boolean(const JsonField& field);
Expected<int64_t> read_integer(const JsonField& field);
Expected<double> read_number(const JsonField& field);
Expected<std::string> read_string(const JsonField& field);
Expected<JsonArray> read_array(const JsonField& field);
Expected<JsonFields> read_object(const JsonField& field);

// An array of token ids that fit TokenId; whether the vocabulary has them is the model's to say.
Expected<std::vector<TokenId>> read_token_ids(const JsonField& field);

// The start of a client's text, as a message may quote it.
std::string excerpt(std::string_view text);

// Rules that store what they read. `target` outlives the rule.
std::function<Expected<>(const JsonField&)> into(bool& target);
std::function<Expected<>(const JsonField&)> into(std::optional<bool>& target);
std::function<Expected<>(const JsonField&)> into(std::string& target);
std::function<Expected<>(const JsonField&)> into(std::optional<std::string>& target);
std::function<Expected<>(const JsonField&)> into(std::optional<int64_t>& target);
std::function<Expected<>(const JsonField&)> into(std::vector<TokenId>& target);

// The rule for one scalar of sampling_fields().
FieldRule sampling_rule(std::string_view name, SamplingParams& params);

// Adds a rule for each scalar of sampling_fields() and for the others (stop, stop_token_ids, logit_bias,
// early_stopping).
void add_sampling_rules(std::vector<FieldRule>& rules, SamplingParams& params);

}  // namespace quire
