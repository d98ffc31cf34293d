// What the engine thread pays at its doors: commands in, deltas out, the snapshot of its state.
#include <benchmark/benchmark.h>

#include <vector>

#include "engine/engine_mailbox.h"
#include "engine/request_stream.h"

namespace quire {
namespace {

void take_nothing(benchmark::State& state) {
  EngineMailbox mailbox(1024);
  std::vector<EngineCommand> commands;
  for (auto _ : state) {
    mailbox.take(commands);
    benchmark::DoNotOptimize(commands.data());
  }
}
BENCHMARK(take_nothing)->Name("engine/mailbox_take_nothing");

void send_and_take(benchmark::State& state) {
  EngineMailbox mailbox(1024);
  std::vector<EngineCommand> commands;
  for (auto _ : state) {
    mailbox.send(AbortRequest{1});
    mailbox.take(commands);
    commands.clear();
  }
}
BENCHMARK(send_and_take)->Name("engine/mailbox_send_and_take");

void publish_stats(benchmark::State& state) {
  EngineMailbox mailbox(1024);
  EngineStats stats;
  for (auto _ : state) {
    ++stats.num_steps;
    mailbox.publish(stats);
  }
}
BENCHMARK(publish_stats)->Name("engine/mailbox_publish");

// A consumer that comes around after every `range` deltas; an item is one delta.
void push_and_poll(benchmark::State& state) {
  RequestStream stream(1, 1);
  std::vector<TokenDelta> deltas;
  int64_t pushed = 0;
  for (auto _ : state) {
    TokenDelta delta;
    delta.token = 5;
    stream.push(std::move(delta));
    if (++pushed % state.range(0) != 0) continue;
    deltas.clear();
    stream.poll(deltas);
  }
}
BENCHMARK(push_and_poll)->Name("engine/stream_push")->ArgName("deltas")->Arg(1)->Arg(16);

}  // namespace
}  // namespace quire
