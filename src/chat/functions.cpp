// The functions that every chat template finds: range, dict, namespace, joiner, cycler, raise_exception,
// strftime_now.
#include <locale.h>
#include <time.h>

#include <algorithm>
#include <memory>

#include "chat/access.h"
#include "chat/builtin_tables.h"
#include "chat/parameters.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

using Result = Expected<Value>;

// Variables that outlive a block: namespace(a=1), {% set ns.a = 2 %}.
class Namespace final : public TemplateObject {
 public:
  std::string_view description() const override { return "namespace"; }
  Result attribute(std::string_view name) override {
    if (const Value* found = values_.find(name)) return *found;
    return TemplateObject::attribute(name);
  }
  Expected<> set_attribute(std::string_view name, Value value) override {
    values_.set(std::string(name), std::move(value));
    return {};
  }

 private:
  Value values_ = Value::object();
};

// Empty when called first, then the separator.
class Joiner final : public TemplateObject {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}
  std::string_view description() const override { return "joiner"; }
  bool is_callable() const override { return true; }
  Result call(Arguments) override { return std::exchange(used_, true) ? separator_ : Value::string(""); }

 private:
  const Value separator_;
  bool used_ = false;
};

// Its items in turn, by next(); `current` is the one that comes.
class Cycler final : public TemplateObject {
 public:
  Cycler(Rendering& rendering, std::vector<Value> items)
      : rendering_(rendering), items_(std::move(items)) {}
  std::string_view description() const override { return "cycler"; }
  Result attribute(std::string_view name) override {
    if (name == "current") return items_[at_];
    if (name == "next") return rendering_.make<Method>(*this, true);
    if (name == "reset") return rendering_.make<Method>(*this, false);
    return TemplateObject::attribute(name);
  }

 private:
  class Method final : public TemplateObject {
   public:
    Method(Cycler& cycler, bool advances) : cycler_(cycler), advances_(advances) {}
    std::string_view description() const override { return "cycler method"; }
    bool is_callable() const override { return true; }
    Result call(Arguments) override {
      const size_t at = cycler_.at_;
      cycler_.at_ = advances_ ? (at + 1) % cycler_.items_.size() : 0;
      return advances_ ? cycler_.items_[at] : Value::null();
    }

   private:
    Cycler& cycler_;
    const bool advances_;
  };

  Rendering& rendering_;
  const std::vector<Value> items_;
  size_t at_ = 0;
};

Result run_range(Rendering& rendering, const Value&, const Arguments& arguments) {
  constexpr int64_t kMaxRange = 100'000;  // of Jinja's sandbox
  const bool has_start = arguments[1] != nullptr;
  for (size_t i = 0; i < 3; ++i) {
    if (arguments[i] != nullptr && !as_index(*arguments[i])) {
      return fail(ErrorCode::kInvalidArgument, "range() takes integers, not {}", type_name(*arguments[i]));
    }
  }
  const int64_t start = has_start ? *as_index(*arguments[0]) : 0;
  const int64_t stop = *as_index(*arguments[has_start ? 1 : 0]);
  const int64_t step = arguments[2] != nullptr ? *as_index(*arguments[2]) : 1;
  if (step == 0) return fail(ErrorCode::kInvalidArgument, "the step of range() cannot be 0");
  std::vector<Value> items;
  int64_t at = start;
  while (step > 0 ? at < stop : at > stop) {
    if (static_cast<int64_t>(items.size()) == kMaxRange) {
      return fail(ErrorCode::kResourceExhausted, "range() makes at most {} numbers", kMaxRange);
    }
    items.push_back(Value::integer(at));
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  if (!rendering.spend_items(items.size())) return rendering.exhausted();
  return Value::array(std::move(items));
}

// What Python's dict() takes: an object or an array of pairs, then named members.
Expected<> fill_members(const Arguments& arguments, Value& object) {
  if (arguments.positional.size() > 1)
    return fail(ErrorCode::kInvalidArgument, "one value is taken, and names");
  const Value source = arguments.positional.empty() ? Value::object() : arguments.positional[0];
  if (source.is_object()) {
    for (const auto& [key, value] : source.members()) object.set(key, value);
  } else if (source.is_array()) {
    for (const Value& pair : source.items()) {
      if (!pair.is_array() || pair.items().size() != 2 || pair.items()[0].is_array() ||
          pair.items()[0].is_object()) {
        return fail(ErrorCode::kInvalidArgument, "a dict is made of pairs of a key and a value");
      }
      object.set(pair.items()[0], pair.items()[1]);
    }
  } else {
    return fail(ErrorCode::kInvalidArgument, "a dict cannot be made of a value of type {}",
                type_name(source));
  }
  for (const auto& [name, value] : arguments.named) object.set(name, value);
  return {};
}

Result run_dict(Rendering& rendering, const Value&, const Arguments& arguments) {
  size_t size = arguments.named.size();
  for (const Value& source : arguments.positional) {
    if (source.is_object()) size += source.members().size();
    if (source.is_array()) size += source.items().size();
  }
  if (!rendering.spend(size)) return rendering.exhausted();
  Value object = Value::object();
  if (auto ok = fill_members(arguments, object); !ok) return pass(ok);
  return object;
}

Result run_namespace(Rendering& rendering, const Value&, const Arguments& arguments) {
  auto names = run_dict(rendering, Value(), arguments);
  if (!names) return names;
  Value result = rendering.make<Namespace>();
  for (const auto& [key, value] : names->members()) {
    if (!key.is_string())
      return fail(ErrorCode::kInvalidArgument, "namespace() takes names that are strings");
    if (auto ok = result.as_template_object().set_attribute(key.as_bytes(), value); !ok) return pass(ok);
  }
  return result;
}

Result run_joiner(Rendering& rendering, const Value&, const Arguments& arguments) {
  return rendering.make<Joiner>(arguments[0] != nullptr ? *arguments[0] : Value::string(", "));
}

Result run_cycler(Rendering& rendering, const Value&, const Arguments& arguments) {
  if (arguments.positional.empty() || !arguments.named.empty()) {
    return fail(ErrorCode::kInvalidArgument, "cycler() takes the items to go through");
  }
  return rendering.make<Cycler>(rendering, arguments.positional);
}

Result run_raise_exception(Rendering& rendering, const Value&, const Arguments& arguments) {
  auto message = to_str(rendering, *arguments[0]);
  if (!message) return message;
  return rendering.raise(message->as_bytes());
}

// A format for a time without a zone: %Z and %z are empty there, and %f is the microseconds.
std::string without_zone(std::string_view format) {
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    const char next = format[i] == '%' && i + 1 < format.size() ? format[i + 1] : '\0';
    if (next == 'Z' || next == 'z') {
      ++i;
    } else if (next == 'f') {
      out += "000000";
      ++i;
    } else {
      out += format[i];
      if (next == '%') out += format[++i];
    }
  }
  return out;
}

Result run_strftime_now(Rendering& rendering, const Value&, const Arguments& arguments) {
  constexpr size_t kMaxFormat = 256, kMaxExpansion = 64;  // bytes; of one directive
  const auto format = read_text(arguments[0], "format");
  if (!format) return std::unexpected(format.error());
  if ((*format)->size() > kMaxFormat)
    return fail(ErrorCode::kInvalidArgument, "strftime_now(): the format is too long");
  if ((*format)->bytes().find('\0') != std::string::npos) {
    return fail(ErrorCode::kInvalidArgument, "strftime_now(): a NUL in the format");
  }
  const time_t seconds = rendering.unix_seconds();
  tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr)
    return fail(ErrorCode::kInvalidArgument, "this time has no calendar date");
  // Names of days and months in English, whatever the process's locale is.
  static const std::unique_ptr<std::remove_pointer_t<locale_t>, decltype(&freelocale)> kEnglish(
      newlocale(LC_ALL_MASK, "C", nullptr), freelocale);
  const std::string directives = without_zone((*format)->bytes());
  std::string out(directives.size() * kMaxExpansion + 2, '\0');
  // A width, as in %9999d, can make one directive longer than the room for it: an error. An empty result
  // would look the same, so that a character is added and taken off again.
  const size_t length =
      strftime_l(out.data(), out.size(), (directives + "|").c_str(), &parts, kEnglish.get());
  if (length == 0) return fail(ErrorCode::kInvalidArgument, "strftime_now(): the date is too long");
  out.resize(length - 1);
  return Value::text(MarkedText(std::move(out), (*format)->has_user_bytes()));
}

constexpr Builtin kFunctions[] = {
    {"cycler", "*", 0, run_cycler},
    {"dict", "*", 0, run_dict},
    {"joiner", "sep", 0, run_joiner},
    {"namespace", "*", 0, run_namespace},
    {"raise_exception", "message", 1, run_raise_exception},
    {"range", "start stop step", 1, run_range},
    {"strftime_now", "format", 1, run_strftime_now},
};

}  // namespace

std::span<const Builtin> functions() { return kFunctions; }

}  // namespace quire::jinja
