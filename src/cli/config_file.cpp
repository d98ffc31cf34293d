#include "cli/config_file.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "base/text.h"
#include "cli/suggestion.h"

namespace quire {
namespace {

struct ConfigProblem {
  int line;
  std::string message;
};

// Takes the parser's events and stops it at the first that a configuration has no use for. So nothing is
// expanded, and nothing is deeper than a list in the one map.
class SettingsReader : public YAML::EventHandler {
 public:
  std::vector<ConfigSetting> take() { return std::move(settings_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (std::exchange(began_, true)) refuse(mark, "a second document ('---') begins: one is enough");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    if (place_ == Place::kFile) return;  // an empty file sets nothing
    if (place_ == Place::kKey) refuse(mark, "a key is missing before the colon");
    refuse(mark, fmt::format("'{}' has no value", key_));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not for configurations: write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (place_ == Place::kFile) refuse(mark, fmt::format("'{}' is no setting: write 'name: value'", value));
    if (place_ == Place::kKey) {
      begin_setting(mark, value);
    } else if (place_ == Place::kValue) {
      settings_.push_back({std::exchange(key_, {}), value, key_line_});
      place_ = Place::kKey;
    } else {
      if (value.find(',') != std::string::npos) {
        refuse(mark, fmt::format("the item '{}' of '{}' has a comma, which parts items", value, key_));
      }
      list_ += (list_.empty() ? "" : ",") + value;
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (place_ == Place::kList) refuse(mark, fmt::format("'{}' is a list within a list", key_));
    if (place_ != Place::kValue) refuse(mark, "a list stands where 'name: value' should");
    place_ = Place::kList;
    list_.clear();
  }

  void OnSequenceEnd() override {
    settings_.push_back({std::exchange(key_, {}), std::exchange(list_, {}), key_line_});
    place_ = Place::kKey;
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (place_ == Place::kKey) refuse(mark, "a map stands where 'name: value' should");
    if (place_ != Place::kFile) refuse(mark, fmt::format("'{}' is a map: settings are not nested", key_));
    place_ = Place::kKey;
  }

  void OnMapEnd() override { place_ = Place::kFile; }

 private:
  enum class Place { kFile, kKey, kValue, kList };

  [[noreturn]] static void refuse(const YAML::Mark& mark, std::string message) {
    throw ConfigProblem{mark.line + 1, std::move(message)};
  }
  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, "anchors (&name) are not for configurations");
  }
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") refuse(mark, "tags (!name) are not for configurations");
  }

  void begin_setting(const YAML::Mark& mark, const std::string& key) {
    key_ = key;
    std::replace(key_.begin(), key_.end(), '_', '-');
    key_line_ = mark.line + 1;
    if (!seen_.insert(key_).second) refuse(mark, fmt::format("'{}' is set twice", key));
    place_ = Place::kValue;
  }

  bool began_ = false;
  Place place_ = Place::kFile;
  std::vector<ConfigSetting> settings_;
  std::set<std::string> seen_;
  std::string key_;
  int key_line_ = 0;
  std::string list_;  // of items so far, with commas
};

Expected<std::string> read_config(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return fail(ErrorCode::kInvalidArgument, "'{}' is a folder: name a file of settings", path);
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(ErrorCode::kNotFound, "cannot open the configuration '{}': {}", path,
                std::generic_category().message(errno));
  }
  std::string text(kMaxConfigBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(ErrorCode::kIo, "the configuration '{}' cannot be read", path);
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > static_cast<size_t>(kMaxConfigBytes)) {
    return fail(ErrorCode::kInvalidArgument, "the configuration '{}' has more than {} KiB", path,
                kMaxConfigBytes >> 10);
  }
  return text;
}

std::vector<std::string> setting_names(CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) names.push_back(option->get_name(true) == "MODEL" ? "model" : "");
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  }
  std::erase_if(names, [](const std::string& name) {
    return name.empty() || name.starts_with("no-") || name == "help" || name == "config";
  });
  return names;
}

Expected<CLI::Option*> find_setting(CLI::App& command, const std::string& name) {
  const std::vector<std::string> names = setting_names(command);
  if (std::ranges::find(names, name) == names.end()) {
    if (name.starts_with("no-") && std::ranges::find(names, name.substr(3)) != names.end()) {
      return fail(ErrorCode::kInvalidArgument, "unknown key '{}': write '{}: false'", name, name.substr(3));
    }
    return fail(ErrorCode::kInvalidArgument, "unknown key '{}'{}", name, suggest_name(name, names));
  }
  CLI::Option* option = command.get_option_no_throw("--" + name);
  return option != nullptr ? option : command.get_option("MODEL");
}

// How YAML and people write a switch.
Expected<std::string> switch_value(const ConfigSetting& setting) {
  std::string lower = CLI::detail::to_lower(setting.value);
  constexpr std::array kOn{"true", "yes", "on"};
  constexpr std::array kOff{"false", "no", "off"};
  if (std::ranges::find(kOn, lower) != kOn.end()) return "true";
  if (std::ranges::find(kOff, lower) != kOff.end()) return "false";
  return fail(ErrorCode::kInvalidArgument, "'{}' is true or false, not '{}'", setting.name, setting.value);
}

// One file is for all commands: what is a flag of `serve` is passed over by those that lack it.
bool is_for_serve(CLI::App& command, const std::string& name) {
  if (command.get_parent() == nullptr) return false;
  for (CLI::App* other : command.get_parent()->get_subcommands({})) {
    if (other == &command || other->get_name() != "serve") continue;
    const auto names = setting_names(*other), own = setting_names(command);
    return std::ranges::find(names, name) != names.end() && std::ranges::find(own, name) == own.end();
  }
  return false;
}

// `taken`: the names of what the file has set so far.
Expected<> apply(CLI::App& command, const ConfigSetting& setting,
                 std::map<const CLI::Option*, std::string>& taken) {
  if (is_for_serve(command, setting.name)) return {};
  const auto found = find_setting(command, setting.name);
  if (!found) return std::unexpected(found.error());
  CLI::Option& option = **found;
  const auto [former, fresh] = taken.emplace(&option, setting.name);
  if (!fresh) {
    return fail(ErrorCode::kInvalidArgument, "'{}' is another name of '{}', which is set already",
                setting.name, former->second);
  }
  if (option.count() > 0) return {};  // the command line and the environment win
  std::string value = setting.value;
  if (option.get_items_expected_max() == 0) {
    auto flag = switch_value(setting);
    if (!flag) return std::unexpected(flag.error());
    value = std::move(*flag);
  }
  try {
    option.add_result(value);
    option.run_callback();
  } catch (const CLI::ParseError& error) {
    return fail(ErrorCode::kInvalidArgument, "{}", error.what());
  }
  return {};
}

}  // namespace

Expected<std::vector<ConfigSetting>> parse_config(std::string_view yaml) {
  if (!is_valid_utf8(yaml) || yaml.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument, "it is no text in UTF-8");
  }
  std::istringstream stream{std::string(yaml)};
  SettingsReader reader;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(reader)) {
    }
  } catch (const ConfigProblem& problem) {
    return fail(ErrorCode::kInvalidArgument, "line {}: {}", problem.line, problem.message);
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::kInvalidArgument, "line {}: no valid YAML: {}", error.mark.line + 1, error.msg);
  }
  return reader.take();
}

void add_config_flag(CLI::App& command) {
  command
      .add_option(
          "--config",
          "a YAML file of flags ('port: 8000', a line for each); the command line and the environment "
          "win over it")
      ->type_name("FILE");
}

Expected<> apply_config_file(CLI::App& command) {
  const CLI::Option* flag = command.get_option_no_throw("--config");
  if (flag == nullptr || flag->count() == 0) return {};
  const std::string path = flag->as<std::string>();
  const auto text = read_config(path);
  if (!text) return std::unexpected(text.error());
  const auto settings = parse_config(*text);
  if (!settings) {
    return fail(ErrorCode::kInvalidArgument, "the configuration '{}', {}", path, settings.error().message);
  }
  std::map<const CLI::Option*, std::string> taken;
  for (const ConfigSetting& setting : *settings) {
    if (auto applied = apply(command, setting, taken); !applied) {
      return fail(ErrorCode::kInvalidArgument, "the configuration '{}', line {}: {}", path, setting.line,
                  applied.error().message);
    }
  }
  return {};
}

void RequiredFlags::take(CLI::App& app) {
  if (app.get_option_no_throw("--config") != nullptr) {
    for (CLI::Option* option : app.get_options()) {
      if (!option->get_required()) continue;
      option->required(false);
      flags_.emplace_back(&app, option);
    }
  }
  for (CLI::App* command : app.get_subcommands({})) take(*command);
}

Expected<> RequiredFlags::check(const CLI::App& command) const {
  for (const auto& [owner, option] : flags_) {
    if (owner != &command || option->count() > 0) continue;
    return fail(ErrorCode::kInvalidArgument, "{} is required", option->get_name());
  }
  return {};
}

}  // namespace quire
