# libFuzzer's programs, fuzz_<target>, one for each of tests/fuzz (script/fuzz runs them). Of the rooms above chat only
# the files that are fuzzed are compiled: engines take their time.
file(GLOB fuzzed CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fixture.cpp
  ${CMAKE_SOURCE_DIR}/src/weights/gguf_c*.cpp ${CMAKE_SOURCE_DIR}/src/weights/gguf_f*.cpp
  ${CMAKE_SOURCE_DIR}/src/weights/gguf_metadata.cpp ${CMAKE_SOURCE_DIR}/src/weights/mapped_file.cpp
  ${CMAKE_SOURCE_DIR}/src/server/json/*.cpp ${CMAKE_SOURCE_DIR}/src/server/requests/*.cpp)
foreach(name http/api_error http/http_message http/http_reader)
  list(APPEND fuzzed ${CMAKE_SOURCE_DIR}/src/server/${name}.cpp)
endforeach()
add_library(quire_fuzzed STATIC ${fuzzed})
target_include_directories(quire_fuzzed PUBLIC ${CMAKE_SOURCE_DIR})
target_link_libraries(quire_fuzzed PUBLIC quire_flags quire_base quire_config quire_tensor quire_chat quire_grammar
  ${QUIRE_LIBRARIES_server})
foreach(target output_parser request_bodies http_reader chat_template grammar gguf)
  add_executable(fuzz_${target} EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/fuzz/main.cpp)
  target_compile_definitions(fuzz_${target} PRIVATE QUIRE_FUZZ_TARGET="${target}")
  target_link_libraries(fuzz_${target} PRIVATE quire_fuzzed)
  target_link_options(fuzz_${target} PRIVATE -fsanitize=fuzzer)
endforeach()
