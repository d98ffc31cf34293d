# Flags that hold for every room. Kernels of one instruction set get theirs in rooms.cmake.
add_library(quire_flags INTERFACE)
target_compile_options(quire_flags INTERFACE
  -Wall -Wextra -Werror
  # Results must not depend on where the compiler chooses to fuse a multiply and an add.
  -ffp-contract=off
  # A failed check names its file as the repository does; and ccache can share objects between checkouts.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_include_directories(quire_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(quire_flags INTERFACE QUIRE_VERSION="${PROJECT_VERSION}")

if(QUIRE_LENIENT)  # for sources with a bug planted on purpose
  target_compile_options(quire_flags INTERFACE -Wno-error)
endif()
if(QUIRE_SANITIZE)
  target_compile_options(quire_flags INTERFACE -fsanitize=${QUIRE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(quire_flags INTERFACE -fsanitize=${QUIRE_SANITIZE})
  # g++ 12 warns falsely inside libstdc++ once sanitizers change what it inlines.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(quire_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
  if(QUIRE_SANITIZE MATCHES "thread")
    # Asio has fences beside its locks. ThreadSanitizer does not understand fences, and the locks suffice.
    target_compile_options(quire_flags INTERFACE -Wno-tsan)
  endif()
endif()
if(QUIRE_COVERAGE)
  target_compile_options(quire_flags INTERFACE --coverage)
  target_link_options(quire_flags INTERFACE --coverage)
endif()

find_program(QUIRE_CCACHE ccache)
if(QUIRE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${QUIRE_CCACHE})
endif()
