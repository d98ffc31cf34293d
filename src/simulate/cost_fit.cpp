#include "simulate/cost_fit.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace quire {
namespace {

using Row = std::vector<double>;

// Points, and then the four units of work.
constexpr size_t kNumUnits = 4;

// The power of two nearest below.
int64_t floor_power(int64_t tokens) {
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(1, tokens))));
}

// Where the model's line may bend: powers of two from the fewest tokens of a step to the most, those alone
// that have steps of their own.
std::vector<int64_t> choose_points(std::span<const TimedStep> steps) {
  std::vector<int64_t> points;
  for (const TimedStep& step : steps) points.push_back(floor_power(step.work.tokens));
  std::ranges::sort(points);
  const auto repeated = std::ranges::unique(points);
  points.erase(repeated.begin(), repeated.end());
  if (points.empty()) return points;
  // The last point at the end of the data, so that the line beyond it begins with what was measured.
  const auto most = std::ranges::max_element(steps, {}, [](const TimedStep& step) {
                      return step.work.tokens;
                    })->work.tokens;
  if (points.size() > 1 && most > points.back()) points.back() = most;
  return points;
}

// The step's share of each unknown: its time is their product with the unknowns' values.
Row shares(const std::vector<int64_t>& points, const StepWork& work) {
  Row row(points.size() + kNumUnits, 0);
  size_t upper = 0;
  while (upper < points.size() && points[upper] < work.tokens) ++upper;
  if (upper == 0 || points.size() == 1) {
    row[0] = 1;
  } else {
    upper = std::min(upper, points.size() - 1);
    const auto from = static_cast<double>(points[upper - 1]), to = static_cast<double>(points[upper]);
    const double way = (static_cast<double>(work.tokens) - from) / (to - from);
    row[upper - 1] = 1 - way;
    row[upper] = way;
  }
  row[points.size()] = static_cast<double>(work.samples);
  row[points.size() + 1] = static_cast<double>(work.context);
  row[points.size() + 2] = static_cast<double>(work.pairs);
  row[points.size() + 3] = static_cast<double>(work.copies);
  return row;
}

// Solves matrix * x = right by elimination; unknowns that the matrix does not determine become 0.
Row solve(std::vector<Row> matrix, Row right) {
  const size_t n = right.size();
  std::vector<double> scale(n);
  for (size_t i = 0; i < n; ++i) scale[i] = std::max(matrix[i][i], 1e-300);
  std::vector<bool> determined(n, false);
  for (size_t i = 0; i < n; ++i) {  // the matrix is symmetric and has no negative pivot
    if (matrix[i][i] <= 1e-10 * scale[i]) continue;
    determined[i] = true;
    for (size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      const double factor = matrix[j][i] / matrix[i][i];
      for (size_t k = 0; k < n; ++k) matrix[j][k] -= factor * matrix[i][k];
      right[j] -= factor * right[i];
    }
  }
  Row x(n, 0);
  for (size_t i = 0; i < n; ++i) x[i] = determined[i] ? right[i] / matrix[i][i] : 0;
  return x;
}

// Least squares over the unknowns that are `used`.
Row least_squares(const std::vector<Row>& rows, const std::vector<bool>& used) {
  const size_t n = used.size();
  std::vector<Row> matrix(n, Row(n, 0));
  Row right(n, 0);
  for (const Row& row : rows) {  // each is divided by its step's time, so that all are to come to 1
    for (size_t i = 0; i < n; ++i) {
      if (!used[i]) continue;
      right[i] += row[i];
      for (size_t j = 0; j < n; ++j) matrix[i][j] += used[j] ? row[i] * row[j] : 0;
    }
  }
  return solve(std::move(matrix), std::move(right));
}

// Drops the most negative unknown and solves again, until none is negative.
Row non_negative_least_squares(const std::vector<Row>& rows, size_t num_unknowns) {
  std::vector<bool> used(num_unknowns, true);
  for (;;) {
    Row x = least_squares(rows, used);
    std::optional<size_t> worst;
    double worst_part = 0;
    for (size_t i = 0; i < num_unknowns; ++i) {
      double part = 0;  // of all steps' times
      for (const Row& row : rows) part += row[i] * x[i];
      if (x[i] < 0 && part < worst_part) worst = i, worst_part = part;
    }
    if (!worst) {
      for (double& value : x) value = std::max(value, 0.0);
      return x;
    }
    used[*worst] = false;
  }
}

}  // namespace

CostFit judge_cost_model(CostModel model, std::span<const TimedStep> steps) {
  CostFit fit{.model = std::move(model)};
  std::vector<double> errors;
  double told_s = 0, measured_s = 0;
  for (const TimedStep& step : steps) {
    const double seconds = fit.model.seconds(step.work);
    errors.push_back(std::abs(seconds - step.seconds) / step.seconds);
    told_s += seconds;
    measured_s += step.seconds;
  }
  if (errors.empty()) return fit;
  std::ranges::sort(errors);
  fit.median_error = errors[errors.size() / 2];
  fit.p90_error = errors[errors.size() * 9 / 10];
  fit.total_error = std::abs(told_s - measured_s) / measured_s;
  return fit;
}

Expected<CostFit> fit_cost_model(std::string name, std::string source, std::span<const TimedStep> steps) {
  const std::vector<int64_t> points = choose_points(steps);
  const size_t num_unknowns = points.size() + kNumUnits;
  if (steps.size() < num_unknowns) {
    return fail(ErrorCode::kInvalidArgument, "{} steps were timed, but the cost model has {} unknowns",
                steps.size(), num_unknowns);
  }
  std::vector<Row> rows;
  for (const TimedStep& step : steps) {
    Row row = shares(points, step.work);
    for (double& share : row) share /= step.seconds;
    rows.push_back(std::move(row));
  }
  const Row x = non_negative_least_squares(rows, num_unknowns);
  CostModel model{.name = std::move(name), .source = std::move(source), .points = {}};
  for (size_t i = 0; i < points.size(); ++i) model.points.push_back({points[i], x[i]});
  model.sample_s = x[points.size()];
  model.context_s = x[points.size() + 1];
  model.pair_s = x[points.size() + 2];
  model.copy_s = x[points.size() + 3];
  return judge_cost_model(std::move(model), steps);
}

}  // namespace quire
