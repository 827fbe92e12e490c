# SPDX-License-Identifier: Apache-2.0
# How berth itself is compiled. Nothing here reaches a project that adds berth as a subdirectory.
set(CMAKE_C_STANDARD 11)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)

if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or Sanitize" FORCE)
  endif()
  set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
  # Line numbers in reports, and half of the compiling: what is run under sanitizers mostly waits. A fuzzer does not.
  if(BERTH_FUZZ)
    set(BERTH_SANITIZE_FLAGS "-O1 -g1 -fno-omit-frame-pointer")
  else()
    set(BERTH_SANITIZE_FLAGS "-O0 -g1 -fno-omit-frame-pointer")
  endif()
  set(CMAKE_C_FLAGS_SANITIZE "${BERTH_SANITIZE_FLAGS}")
  set(CMAKE_CXX_FLAGS_SANITIZE "${BERTH_SANITIZE_FLAGS}")

  find_program(BERTH_CCACHE ccache)
  mark_as_advanced(BERTH_CCACHE)
  if(BERTH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER ${BERTH_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${BERTH_CCACHE})
  endif()
  if(BERTH_SANITIZE)
    # No vptr: to look at an object it makes a pipe, and takes any object for a broken one when the test at hand has used up
    # all descriptors.
    add_compile_options(-fsanitize=${BERTH_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${BERTH_SANITIZE})
  endif()
endif()

# berth_unity(TARGET): with BERTH_UNITY, some files of a target are compiled as one. Most of the time goes to the headers and
# to what they instantiate: a whole build takes a third of the time, a changed file takes its neighbours along.
function(berth_unity target)
  if(BERTH_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
    # GCC takes a type of an included file for one of a header, which another file could see otherwise.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# With BERTH_PCH, the headers that cost most and change least. -fpch-preprocess lets ccache see through them.
set(BERTH_PCH_HEADERS <boost/asio.hpp> <chrono> <functional> <map> <memory> <optional> <string> <string_view> <variant> <vector>)

# berth_precompile(TARGET [FROM]): precompiles them for a target, or takes what FROM has precompiled.
function(berth_precompile target)
  if(BERTH_PCH)
    if(ARGC GREATER 1)
      target_precompile_headers(${target} REUSE_FROM ${ARGV1})
    else()
      target_precompile_headers(${target} PRIVATE ${BERTH_PCH_HEADERS})
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -fpch-preprocess)
    endif()
  endif()
endfunction()
