# One static library a room (quire_<room>), linked to the rooms that src/rooms.txt lets it include; one test
# executable a room (<room>_test) from tests/<room>/*_test.cpp.

# The flags of one instruction set go to the files in its folder alone (docs: design.md, Kernels).
set(QUIRE_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(QUIRE_ISA_FLAGS_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c
  -Wno-uninitialized -Wno-maybe-uninitialized)  # g++ 12 warns falsely inside its own AVX-512 headers
set(QUIRE_ISA_FLAGS_vnni ${QUIRE_ISA_FLAGS_avx512} -mavx512vnni)
set(QUIRE_ISA_FLAGS_amx ${QUIRE_ISA_FLAGS_vnni} -mavx512bf16 -mamx-tile -mamx-int8 -mamx-bf16)

# Kernels are worth every optimization; wiring is not worth the compiler's time (CLI11 takes twice as long with -O2).
set(QUIRE_OPTIMIZATION_kernels $<$<CONFIG:Release>:-O3>)
set(QUIRE_OPTIMIZATION_cli $<$<CONFIG:Release>:-O1>)

# Neither are tests, least of all with sanitizers in them.
if(QUIRE_SANITIZE)
  set(QUIRE_TEST_OPTIMIZATION -O0)
else()
  set(QUIRE_TEST_OPTIMIZATION $<$<CONFIG:Release>:-O1>)
endif()

# Most of the compiler's time goes into the headers of libraries, so the files of a room, and those of its tests, are
# compiled several at a time: a full build takes half as long. Their file-local names must therefore differ. Apart stay
# the kernels, whose speed should not depend on their neighbours, and rooms whose files say the same names on purpose.
option(QUIRE_UNITY "Compile several files of a room at once" OFF)
set(QUIRE_UNITY_BATCH 8)
set(QUIRE_APART chat config kernels)
# g++ 12 warns of coroutines in a file that another includes.
set_source_files_properties(src/server/http/http_client.cpp src/server/trace/span_exporter.cpp PROPERTIES
  SKIP_UNITY_BUILD_INCLUSION ON)

function(quire_compile_together target room)
  if(QUIRE_UNITY AND NOT room IN_LIST QUIRE_APART)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${QUIRE_UNITY_BATCH})
  endif()
endfunction()

function(quire_add_isa_flags sources)
  foreach(isa avx2 avx512 vnni amx)
    foreach(source ${sources})
      if(source MATCHES "/kernels/cpu/${isa}/")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${QUIRE_ISA_FLAGS_${isa}}")
      endif()
    endforeach()
  endforeach()
endfunction()

# The text files in src/<room>/<folder> become a source file of the room, written again when one of them changes.
function(quire_embed_files room folder)
  set(from ${CMAKE_SOURCE_DIR}/src/${room}/${folder})
  set(output ${CMAKE_BINARY_DIR}/embedded/${room}_${folder}.cpp)
  file(GLOB files CONFIGURE_DEPENDS ${from}/*)
  add_custom_command(OUTPUT ${output} DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${from} -DNAME=${folder} -DOUTPUT=${output} -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake)
  set_source_files_properties(${output} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(quire_${room} PRIVATE ${output})
endfunction()

function(quire_add_rooms table)
  file(STRINGS ${table} rows REGEX "^[a-z]+:")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${table})
  foreach(row ${rows})
    string(REGEX MATCH "^[a-z]+" room ${row})
    string(REGEX REPLACE "^[a-z]+: *" "" allowed ${row})
    separate_arguments(allowed)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.cpp)
    list(FILTER sources EXCLUDE REGEX "/cli/main\\.cpp$")
    list(TRANSFORM allowed PREPEND quire_)
    if(sources)
      add_library(quire_${room} STATIC ${sources})
      quire_add_isa_flags("${sources}")
      target_link_libraries(quire_${room} PUBLIC quire_flags ${allowed} ${QUIRE_LIBRARIES_${room}})
      target_compile_options(quire_${room} PRIVATE ${QUIRE_OPTIMIZATION_${room}})
      quire_compile_together(quire_${room} ${room})
    else()
      add_library(quire_${room} INTERFACE)
      target_link_libraries(quire_${room} INTERFACE quire_flags ${allowed} ${QUIRE_LIBRARIES_${room}})
    endif()
  endforeach()
endfunction()

# What the tests of a room link beside the room itself: to read the model file, the golden data, and what grammars allow.
# A folder of tests that is no room links this alone, or every room if nothing is said.
set(QUIRE_TEST_LIBRARIES_layout quire_base)
set(QUIRE_TEST_LIBRARIES_grammar quire_chat simdjson::simdjson)
set(QUIRE_TEST_LIBRARIES_fuzz quire_server quire_weights)
set(QUIRE_TEST_LIBRARIES_chat simdjson::simdjson)
set(QUIRE_TEST_LIBRARIES_tokenizer quire_weights simdjson::simdjson)
set(QUIRE_TEST_LIBRARIES_runtime simdjson::simdjson)

# With OPTIONAL, no tests where their libraries are missing; otherwise that is an error.
function(quire_add_tests folder)
  if("OPTIONAL" IN_LIST ARGN)
    find_package(GTest QUIET)
    find_package(rapidcheck QUIET)
    find_package(benchmark QUIET)
    if(NOT GTest_FOUND OR NOT rapidcheck_FOUND OR NOT benchmark_FOUND)
      message(STATUS "No tests: GoogleTest, RapidCheck or Google Benchmark is missing (script/setup --test installs them)")
      return()
    endif()
  else()
    find_package(GTest REQUIRED)
    find_package(rapidcheck REQUIRED)
    find_package(benchmark REQUIRED)
  endif()
  include(GoogleTest)
  file(GLOB rooms RELATIVE ${folder} CONFIGURE_DEPENDS ${folder}/*)
  foreach(room ${rooms})
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/${room}/*_test.cpp ${folder}/${room}/*_fixture.cpp)
    if(NOT sources)
      continue()
    endif()
    add_executable(${room}_test ${sources})
    if(TARGET quire_${room})
      target_link_libraries(${room}_test PRIVATE quire_${room})
    elseif(NOT DEFINED QUIRE_TEST_LIBRARIES_${room})
      target_link_libraries(${room}_test PRIVATE quire_cli)
    endif()
    target_link_libraries(${room}_test PRIVATE ${QUIRE_TEST_LIBRARIES_${room}})
    target_include_directories(${room}_test PRIVATE ${CMAKE_SOURCE_DIR})
    target_compile_definitions(${room}_test PRIVATE QUIRE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_compile_options(${room}_test PRIVATE ${QUIRE_TEST_OPTIMIZATION})
    target_link_libraries(${room}_test PRIVATE rapidcheck rapidcheck_gtest GTest::gmock GTest::gtest_main)
    quire_compile_together(${room}_test ${room})
    gtest_discover_tests(${room}_test TEST_PREFIX "${room}." DISCOVERY_MODE PRE_TEST
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} PROPERTIES TIMEOUT 600)
  endforeach()
  quire_add_benchmarks(${CMAKE_SOURCE_DIR}/benchmarks)
endfunction()

# One executable, quire_benchmarks, from benchmarks/<room>/*_benchmark.cpp. As a test it only shows that every entry runs.
function(quire_add_benchmarks folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*/*_benchmark.cpp)
  add_executable(quire_benchmarks ${sources})
  target_link_libraries(quire_benchmarks PRIVATE quire_engine benchmark::benchmark benchmark::benchmark_main)
  add_test(NAME benchmarks.run COMMAND quire_benchmarks --benchmark_min_time=0.01)
  set_tests_properties(benchmarks.run PROPERTIES TIMEOUT 600)
endfunction()
