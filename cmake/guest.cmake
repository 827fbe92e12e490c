# SPDX-License-Identifier: Apache-2.0
# The program that berth brings into a sandbox (libexec/berth/berth-init).
# It is the same under sanitizers, which it runs without.
set(BERTH_INIT_PROGRAM "" CACHE FILEPATH "A berth-init that was built elsewhere, in place of building it")
file(GLOB_RECURSE BERTH_GUEST_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/guest/*.cpp)
if(BERTH_INIT_PROGRAM)
  add_executable(berth_init IMPORTED GLOBAL)
  set_target_properties(berth_init PROPERTIES IMPORTED_LOCATION ${BERTH_INIT_PROGRAM})
elseif(BERTH_GUEST_SOURCES)
  add_executable(berth_init ${BERTH_GUEST_SOURCES})
  target_link_libraries(berth_init PRIVATE berth_headers berth_warnings)
  target_include_directories(berth_init PRIVATE ${PROJECT_SOURCE_DIR}/src/guest)
  # It runs in any root file system, so it brings everything along, and no sanitizer's runtime.
  target_compile_options(berth_init PRIVATE -Os -ffunction-sections -fdata-sections -fno-sanitize=all)
  target_link_options(berth_init PRIVATE -static -Wl,--gc-sections -fno-sanitize=all $<$<CONFIG:Release>:-s>)
  berth_unity(berth_init)
  set_target_properties(berth_init PROPERTIES OUTPUT_NAME berth-init
                        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/libexec/berth)
endif()
