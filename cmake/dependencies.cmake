# Libraries from Debian; script/setup installs them. Third-party headers are SYSTEM, so that -Werror is ours alone.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(libedit REQUIRED IMPORTED_TARGET libedit)

# What each room links beside the rooms it may include.
set(QUIRE_LIBRARIES_base fmt::fmt spdlog::spdlog Threads::Threads)
set(QUIRE_LIBRARIES_tokenizer PkgConfig::utf8proc)
set(QUIRE_LIBRARIES_chat PkgConfig::utf8proc)
set(QUIRE_LIBRARIES_server Boost::headers OpenSSL::SSL OpenSSL::Crypto simdjson::simdjson)
set(QUIRE_LIBRARIES_bench Boost::headers simdjson::simdjson)
set(QUIRE_LIBRARIES_cli CLI11::CLI11 PkgConfig::libedit)
