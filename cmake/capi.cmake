# SPDX-License-Identifier: Apache-2.0
# berth::capi, the C ABI: libberth.so.0, whose exports are exactly those of capi/berth.map; and libberth.a with the same.
file(GLOB BERTH_CAPI_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/capi/*.cpp)
if(BERTH_CAPI_SOURCES)
  set(BERTH_ABI_VERSION 0)
  add_library(berth_capi_objects OBJECT EXCLUDE_FROM_ALL ${BERTH_CAPI_SOURCES})
  target_include_directories(berth_capi_objects PUBLIC ${PROJECT_SOURCE_DIR}/capi/include)
  target_compile_definitions(berth_capi_objects PRIVATE BERTH_SEPARATE_COMPILATION)
  target_compile_options(berth_capi_objects PRIVATE -fvisibility=hidden -fvisibility-inlines-hidden
                                                    $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
  target_link_libraries(berth_capi_objects PRIVATE berth_headers berth_warnings)
  set_target_properties(berth_capi_objects PROPERTIES POSITION_INDEPENDENT_CODE ON)
  berth_precompile(berth_capi_objects)
  berth_unity(berth_capi_objects)

  add_library(berth_capi SHARED $<TARGET_OBJECTS:berth_capi_objects>)
  add_library(berth::capi ALIAS berth_capi)
  target_include_directories(berth_capi PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/capi/include>
                                               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(berth_capi PRIVATE $<BUILD_INTERFACE:berth_static>)
  target_link_options(berth_capi PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/capi/berth.map
                                         -Wl,--exclude-libs,ALL -Wl,--no-undefined)
  set_target_properties(berth_capi PROPERTIES EXPORT_NAME capi OUTPUT_NAME berth SOVERSION ${BERTH_ABI_VERSION}
                        VERSION ${BERTH_ABI_VERSION}.${PROJECT_VERSION} LINKER_LANGUAGE CXX
                        LINK_DEPENDS ${PROJECT_SOURCE_DIR}/capi/berth.map)

  # The archive is one object in which every symbol but the C ABI's is local, so that the Boost in it meets no other.
  if(NOT BERTH_SANITIZE)
    set(BERTH_CAPI_ARCHIVE ${CMAKE_ARCHIVE_OUTPUT_DIRECTORY}/libberth.a)
    set(objects $<TARGET_OBJECTS:berth_capi_objects> ${BERTH_OBJECTS})
    set(objects "$<FILTER:${objects},EXCLUDE,[.]gch$>")  # CMake counts a precompiled header among them
    add_custom_command(
      OUTPUT ${BERTH_CAPI_ARCHIVE}
      COMMAND ${CMAKE_LINKER} -r --force-group-allocation -o ${PROJECT_BINARY_DIR}/berth-capi.o "${objects}"
      COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=berth_* ${PROJECT_BINARY_DIR}/berth-capi.o
      COMMAND ${CMAKE_COMMAND} -E rm -f ${BERTH_CAPI_ARCHIVE}
      COMMAND ${CMAKE_AR} rcs ${BERTH_CAPI_ARCHIVE} ${PROJECT_BINARY_DIR}/berth-capi.o
      DEPENDS berth_capi_objects "${objects}" COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_target(berth_capi_archive ALL DEPENDS ${BERTH_CAPI_ARCHIVE})
  endif()
endif()
