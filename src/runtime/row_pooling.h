// Makes one vector of the hidden states of a row's prompt, chunk by chunk. Sums are taken token by token in
// their order, so the vector depends neither on how the prompt was cut nor on who shared the batch. One
// thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/plan_executor.h"
#include "runtime/row_table.h"
#include "step/step_input.h"

namespace quire {

class RowPooling {
 public:
  explicit RowPooling(const PlanExecutor& executor);

  // Takes what `work` computed: its tokens are the batch's rows from `first_row` on. `row` pools.
  void add(const RowWork& work, int64_t first_row, WorkerRow& row);

  // What the row has pooled, once its prompt is computed.
  static std::vector<float> result(const WorkerRow& row);

 private:
  const PlanExecutor& executor_;
  const int64_t width_;
  std::vector<float> normed_;  // scratch: [kRowsAtOnce, stride]
};

}  // namespace quire
