// The fields of requests that are sampling parameters.
#pragma once

#include <vector>

#include "config/sampling_params.h"
#include "server/json/request_fields.h"

namespace quire {

// The rule for one scalar of sampling_fields().
FieldRule sampling_rule(std::string_view name, SamplingParams& params);

// Adds a rule for each scalar of sampling_fields() that `except` does not name, and for the others (stop,
// stop_token_ids, logit_bias, early_stopping). `params` outlives the rules.
void add_sampling_rules(std::vector<FieldRule>& rules, SamplingParams& params,
                        std::span<const std::string_view> except = {});

}  // namespace quire
