#include "bench/load_generator.h"

#include <simdjson.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <chrono>

#include "bench/completion_chunk.h"
#include "bench/sse_reader.h"
#include "server/http/http_client.h"
#include "server/json/json_writer.h"

namespace quire {
namespace {

namespace asio = boost::asio;
constexpr size_t kMaxErrorBytes = 4096;

std::chrono::nanoseconds seconds_to_ns(double seconds) {
  return std::chrono::nanoseconds(static_cast<int64_t>(seconds * 1e9));
}

// One run: the coroutines on its io_context share it without locks.
class LoadRun {
 public:
  LoadRun(const LoadOptions& options, std::span<const WorkItem> workload, const Clock& clock,
          std::function<void(const LoadProgress&)> on_progress)
      : options_(options), workload_(workload), clock_(clock), on_progress_(std::move(on_progress)) {}

  Expected<LoadResult> run();

 private:
  asio::awaitable<void> find_model(Expected<std::string>& model);
  asio::awaitable<void> drive();
  asio::awaitable<void> request(size_t index);
  asio::awaitable<void> scrape_gauges();
  // Sleeps for `duration`, or until the timer is cancelled.
  static asio::awaitable<void> wait(asio::steady_timer& timer, std::chrono::nanoseconds duration);

  double elapsed_s() const { return static_cast<double>(clock_.now_ns() - start_ns_) * 1e-9; }
  void take_data(std::string_view data, RequestRecord& record) const;

  const LoadOptions& options_;
  const std::span<const WorkItem> workload_;
  const Clock& clock_;
  const std::function<void(const LoadProgress&)> on_progress_;

  asio::io_context context_;
  asio::steady_timer slot_free_{context_};    // cancelled when a request ends
  asio::steady_timer next_scrape_{context_};  // cancelled when the last one ends
  HttpTarget target_;
  LoadResult result_;
  int64_t start_ns_ = 0;
  int32_t under_way_ = 0;
  size_t finished_ = 0;
  double slots_allocated_ = 0, slots_filled_ = 0;  // sums over the scrapes
};

asio::awaitable<void> LoadRun::wait(asio::steady_timer& timer, std::chrono::nanoseconds duration) {
  boost::system::error_code cancelled;
  timer.expires_after(duration);
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

Expected<LoadResult> LoadRun::run() {
  auto target = resolve_target(context_, options_.host, options_.port, options_.api_key);
  if (!target) return std::unexpected(target.error());
  target_ = std::move(*target);

  Expected<std::string> model = options_.model;
  if (model->empty()) {
    asio::co_spawn(context_, find_model(model), asio::detached);
    context_.run();
    context_.restart();
  }
  if (!model) return std::unexpected(model.error());
  result_.model = *model;
  result_.records.resize(workload_.size());

  start_ns_ = clock_.now_ns();
  asio::co_spawn(context_, drive(), asio::detached);
  if (options_.scrape_interval_s > 0) asio::co_spawn(context_, scrape_gauges(), asio::detached);
  context_.run();
  if (slots_allocated_ > 0) result_.kv_waste = 1 - slots_filled_ / slots_allocated_;
  return std::move(result_);
}

asio::awaitable<void> LoadRun::find_model(Expected<std::string>& model) {
  const Expected<std::string> body = co_await http_get(target_, "/v1/models");
  model = body ? first_model_id(*body) : body;
}

asio::awaitable<void> LoadRun::drive() {
  asio::steady_timer arrival(context_);
  for (size_t index = 0; index < workload_.size(); ++index) {
    const double early_s = workload_[index].arrival_s - elapsed_s();
    if (early_s > 0) co_await wait(arrival, seconds_to_ns(early_s));
    while (options_.max_concurrency > 0 && under_way_ >= options_.max_concurrency) {
      co_await wait(slot_free_, std::chrono::hours(24));
    }
    ++under_way_;
    result_.peak_concurrency = std::max(result_.peak_concurrency, under_way_);
    asio::co_spawn(context_, request(index), asio::detached);
  }
}

void LoadRun::take_data(std::string_view data, RequestRecord& record) const {
  const auto chunk = parse_completion_chunk(data);
  if (!chunk) {
    record.error = chunk.error().message;
    return;
  }
  if (chunk->prompt_tokens) record.input_tokens = *chunk->prompt_tokens;
  if (chunk->completion_tokens) record.output_tokens = *chunk->completion_tokens;
  if (!chunk->has_choice) return;
  const double now_s = elapsed_s() - record.sent_s;
  if (chunk->has_token) {
    if (record.ttft_s == 0) {
      record.ttft_s = now_s;
    } else {
      record.itl_s.push_back(now_s - record.e2el_s);
    }
  }
  record.e2el_s = now_s;
}

asio::awaitable<void> LoadRun::request(size_t index) {
  RequestRecord& record = result_.records[index];
  const WorkItem& item = workload_[index];
  const std::string body = completion_body(options_, result_.model, item);
  record.input_tokens = static_cast<int64_t>(item.prompt.size());
  record.sent_s = elapsed_s();
  SseReader reader;
  std::string refusal;
  auto on_body = [&](std::string_view bytes, int status) -> Expected<> {
    if (status == 200) return reader.feed(bytes, [&](std::string_view data) { take_data(data, record); });
    refusal += bytes.substr(0, kMaxErrorBytes - std::min(kMaxErrorBytes, refusal.size()));
    return {};
  };
  const HttpRequest message{.path = options_.endpoint, .body = body};
  const Expected<int> status = co_await http_exchange(target_, message, on_body);
  if (!status) {
    record.error = status.error().message;
  } else if (*status != 200) {
    record.error = fmt::format("{}: {}", *status, error_message(refusal));
  } else if (record.error.empty() && record.ttft_s == 0) {
    record.error = "the answer has no token";
  }
  record.ok = record.error.empty();
  if (record.ok && record.output_tokens == 0) {  // no usage: a chunk a token
    record.output_tokens = static_cast<int64_t>(record.itl_s.size()) + 1;
  }

  --under_way_;
  ++finished_;
  slot_free_.cancel();
  result_.duration_s = elapsed_s();
  on_progress_({finished_, workload_.size(), result_.duration_s});
  if (finished_ == workload_.size()) next_scrape_.cancel();
}

asio::awaitable<void> LoadRun::scrape_gauges() {
  while (finished_ < workload_.size()) {
    const Expected<std::string> metrics = co_await http_get(target_, "/metrics");
    if (!metrics) co_return;
    const auto allocated = metric_value(*metrics, "quire:kv_slots_allocated");
    const auto filled = metric_value(*metrics, "quire:kv_slots_filled");
    if (!allocated || !filled) co_return;
    slots_allocated_ += *allocated;
    slots_filled_ += *filled;
    if (finished_ == workload_.size()) co_return;
    co_await wait(next_scrape_, seconds_to_ns(options_.scrape_interval_s));
  }
}

// The names of an object's members; none of any other text.
std::vector<std::string> member_names(const std::string& text) {
  std::vector<std::string> names;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (text.empty() || parser.parse(text).get(object) != simdjson::SUCCESS) return names;
  for (const auto member : object) names.emplace_back(member.key);
  return names;
}

}  // namespace

std::string completion_body(const LoadOptions& options, const std::string& model, const WorkItem& item) {
  const std::vector<std::string> replaced = member_names(options.extra_body);
  const auto own = [&](std::string_view name) { return std::ranges::count(replaced, name) == 0; };
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  if (own("model")) json.field("model", model);
  if (own("prompt")) {
    json.key("prompt");
    json.begin_array();
    for (const TokenId token : item.prompt) json.integer(token);
    json.end_array();
  }
  if (own("max_tokens")) json.field("max_tokens", item.max_tokens);
  if (own("temperature")) json.field("temperature", options.temperature);
  if (own("stream")) json.field("stream", true);
  if (own("stream_options")) {
    json.key("stream_options");
    json.begin_object();
    json.field("include_usage", true);
    json.end_object();
  }
  if (options.ignore_eos && own("ignore_eos")) json.field("ignore_eos", true);
  json.end_object();
  if (replaced.empty()) return text;
  const std::string& extra = options.extra_body;
  const size_t begin = extra.find('{') + 1, end = extra.rfind('}');
  text.insert(text.size() - 1, (text == "{}" ? "" : ",") + extra.substr(begin, end - begin));
  return text;
}

std::optional<double> metric_value(std::string_view exposition, std::string_view name) {
  for (size_t begin = 0; begin < exposition.size();) {
    const size_t end = std::min(exposition.find('\n', begin), exposition.size());
    const std::string_view line = exposition.substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with(name)) continue;
    const std::string_view rest = line.substr(name.size());
    if (!rest.starts_with('{') && !rest.starts_with(' ')) continue;
    const std::string_view number = line.substr(line.rfind(' ') + 1);
    double value = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
    if (parsed.ec == std::errc{}) return value;
  }
  return std::nullopt;
}

Expected<LoadResult> run_load(const LoadOptions& options, std::span<const WorkItem> workload,
                              const Clock& clock, std::function<void(const LoadProgress&)> on_progress) {
  simdjson::dom::parser parser;
  simdjson::dom::object extra;
  if (!options.extra_body.empty() && parser.parse(options.extra_body).get(extra) != simdjson::SUCCESS) {
    return fail_param("extra_body", "extra_body must be a JSON object, but is: {}",
                      options.extra_body.substr(0, 200));
  }
  return LoadRun(options, workload, clock, std::move(on_progress)).run();
}

}  // namespace quire
