#include "config/sampling_params.h"

#include <array>
#include <cmath>

namespace quire {
namespace {

using P = SamplingParams;

const std::array<Field<P>, 19> kFields{{
    {"n", &P::n, "continuations to generate for each prompt", 1, 128},
    {"max_tokens", &P::max_tokens, "most tokens to generate", 1, kInt32Max, false, FieldUnit::kTokens},
    {"min_tokens", &P::min_tokens, "no end-of-sequence or stop token before so many", 0, kInt32Max, false,
     FieldUnit::kTokens},
    {"temperature", &P::temperature, "randomness; 0 is greedy", 0, 2},
    {"top_p", &P::top_p, "keep the most likely tokens that add up to this probability", 0, 1, true},
    {"top_k", &P::top_k, "keep so many of the most likely tokens; 0 or -1: all", -1, kInt32Max},
    {"min_p", &P::min_p, "keep tokens at least this likely, relative to the most likely one", 0, 1},
    {"repetition_penalty", &P::repetition_penalty,
     "above 1 discourages tokens of the prompt and the output", 0, 2, true},
    {"presence_penalty", &P::presence_penalty, "subtracted once for each token already in the output", -2,
     2},
    {"frequency_penalty", &P::frequency_penalty, "subtracted for every occurrence in the output", -2, 2},
    {"best_of", &P::best_of, "continuations to generate, of which the n best are returned", 1, 128},
    {"use_beam_search", &P::use_beam_search, "search with best_of (or n) beams instead of drawing tokens"},
    {"length_penalty", &P::length_penalty, "of beams: above 0 favours long answers, below 0 short ones",
     -10, 10},
    {"seed", &P::seed, "makes sampling reproducible"},
    {"logprobs", &P::logprobs, "log-probabilities of the chosen token and of so many alternatives", 0,
     kMaxLogprobs},
    {"prompt_logprobs", &P::prompt_logprobs, "the same for the tokens of the prompt", 0, kMaxLogprobs},
    {"ignore_eos", &P::ignore_eos, "go on past the end-of-sequence token"},
    {"skip_special_tokens", &P::skip_special_tokens, "leave special tokens out of the text"},
    {"include_stop_str_in_output", &P::include_stop_str_in_output, "keep the stop string in the text"},
}};

// The field's value as a number; none for an unset optional or a string.
std::optional<double> numeric_value(const P& params, const Field<P>& field) {
  return std::visit(
      [&](auto member) -> std::optional<double> {
        using Value = std::remove_cvref_t<decltype(params.*member)>;
        if constexpr (std::is_arithmetic_v<Value>) {
          return static_cast<double>(params.*member);
        } else if constexpr (std::is_same_v<Value, std::string>) {
          return std::nullopt;
        } else {
          return params.*member ? std::optional(static_cast<double>(*(params.*member))) : std::nullopt;
        }
      },
      field.member);
}

Expected<> validate_lists(const P& params, int32_t vocab_size) {
  if (params.stop.size() > kMaxStopStrings) {
    return fail_param("stop", "stop takes at most {} strings, but has {}", kMaxStopStrings,
                      params.stop.size());
  }
  for (const auto& stop : params.stop) {
    if (stop.empty()) return fail_param("stop", "a stop string must not be empty");
    if (stop.size() > kMaxStopBytes) {
      return fail_param("stop", "a stop string takes at most {} bytes, but one has {}", kMaxStopBytes,
                        stop.size());
    }
  }
  if (params.stop_token_ids.size() > kMaxStopTokenIds) {
    return fail_param("stop_token_ids", "stop_token_ids takes at most {} ids, but has {}", kMaxStopTokenIds,
                      params.stop_token_ids.size());
  }
  if (params.logit_bias.size() > kMaxLogitBiases) {
    return fail_param("logit_bias", "logit_bias takes at most {} tokens, but has {}", kMaxLogitBiases,
                      params.logit_bias.size());
  }
  for (const auto& [token, bias] : params.logit_bias) {
    if (token < 0 || token >= vocab_size) {
      return fail_param("logit_bias", "logit_bias has token id {}, but the vocabulary has {} tokens", token,
                        vocab_size);
    }
    if (!(std::abs(bias) <= 100)) {
      return fail_param("logit_bias", "logit_bias of token {} must be -100 to 100, but is {}", token, bias);
    }
  }
  for (const TokenId token : params.stop_token_ids) {
    if (token < 0 || token >= vocab_size) {
      return fail_param("stop_token_ids", "stop_token_ids has {}, but the vocabulary has {} tokens", token,
                        vocab_size);
    }
  }
  return {};
}

// What cannot be had together with beams, and what means nothing without them.
Expected<> validate_beams(const P& params) {
  const auto only = [](const char* name, const char* why) {
    return fail_param(name, "{} cannot be used with use_beam_search: {}", name, why);
  };
  if (!params.use_beam_search) {
    if (params.length_penalty == 1.0 && params.early_stopping == EarlyStopping::kFalse) return {};
    const char* name = params.length_penalty != 1.0 ? "length_penalty" : "early_stopping";
    return fail_param(name, "{} needs use_beam_search to be true", name);
  }
  if (params.num_sequences() > kMaxBeams) {
    const char* name = params.best_of ? "best_of" : "n";
    return fail_param(name, "a beam search has at most {} beams, but {} is {}", kMaxBeams, name,
                      params.num_sequences());
  }
  // 1 is the default, so it cannot be told from a field that was left out.
  if (params.temperature != 0.0 && params.temperature != 1.0) {
    return fail_param(
        "temperature",
        "temperature must be 0 or left out with use_beam_search, which draws nothing, but is {}",
        params.temperature);
  }
  if (params.top_p != 1.0) return only("top_p", "nothing is drawn");
  if (params.top_k > 0) return only("top_k", "nothing is drawn");
  if (params.min_p != 0.0) return only("min_p", "nothing is drawn");
  if (!params.stop.empty()) return only("stop", "beams end at tokens (stop_token_ids), not at strings");
  if (params.logprobs.value_or(0) > 0) {
    return fail_param("logprobs",
                      "logprobs must be 0 with use_beam_search, which keeps no alternatives, but is {}",
                      *params.logprobs);
  }
  return {};
}

}  // namespace

std::span<const Field<SamplingParams>> sampling_fields() { return kFields; }

Expected<> validate(const SamplingParams& params, int32_t vocab_size) {
  for (const auto& field : kFields) {
    const auto value = numeric_value(params, field);
    if (!value) continue;
    if (auto checked = field.check(*value); !checked) return checked;
  }
  if (params.min_tokens > params.max_tokens) {
    return fail_param("min_tokens", "min_tokens ({}) must be at most max_tokens ({})", params.min_tokens,
                      params.max_tokens);
  }
  if (params.best_of && *params.best_of < params.n) {
    return fail_param("best_of", "best_of ({}) must be at least n ({})", *params.best_of, params.n);
  }
  if (params.grammar != nullptr && params.ignore_eos) {
    return fail_param(
        "ignore_eos",
        "ignore_eos cannot be used with structured output, which ends where its grammar does");
  }
  if (auto checked = validate_beams(params); !checked) return checked;
  return validate_lists(params, vocab_size);
}

}  // namespace quire
