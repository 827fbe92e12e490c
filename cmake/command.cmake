# SPDX-License-Identifier: Apache-2.0
# The berth command (bin/berth).
# Everything but main() is a library, so that its tests can link it.
file(GLOB_RECURSE BERTH_COMMAND_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/*.cpp)
list(FILTER BERTH_COMMAND_SOURCES EXCLUDE REGEX "/cli/main\\.cpp$")
if(EXISTS ${PROJECT_SOURCE_DIR}/src/cli/main.cpp)
  find_package(CLI11 REQUIRED)
  add_library(berth_command_parts STATIC EXCLUDE_FROM_ALL ${BERTH_COMMAND_SOURCES})
  target_link_libraries(berth_command_parts PUBLIC berth_static CLI11::CLI11 PRIVATE berth_warnings)
  target_include_directories(berth_command_parts PUBLIC ${PROJECT_SOURCE_DIR}/src/cli)
  target_compile_definitions(berth_command_parts PRIVATE
                             BERTH_LIBEXEC_DIR="${CMAKE_INSTALL_FULL_LIBEXECDIR}/berth")
  # What has to be quick is in the library; here, each verb's share of CLI11 and Asio is what takes long to optimise.
  target_compile_options(berth_command_parts PRIVATE $<$<CONFIG:Release>:-O1>)
  berth_precompile(berth_command_parts)
  if(BERTH_PCH)
    target_precompile_headers(berth_command_parts PRIVATE <CLI/CLI.hpp>)
  endif()
  berth_unity(berth_command_parts)
  add_executable(berth_command ${PROJECT_SOURCE_DIR}/src/cli/main.cpp)
  target_link_libraries(berth_command PRIVATE berth_command_parts berth_warnings)
  if(NOT BERTH_SANITIZE)
    # It starts 1 ms sooner without another library to load and to link, twice in `berth run -d`.
    target_link_options(berth_command PRIVATE -static-libstdc++ -static-libgcc)
  endif()
  set_target_properties(berth_command PROPERTIES OUTPUT_NAME berth)
  if(TARGET berth_init)
    add_dependencies(berth_command berth_init)
  endif()
endif()
