# berth::capi, the C ABI: libberth.so.1, whose exports are exactly those of capi/berth.map.
file(GLOB BERTH_CAPI_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/capi/*.cpp)
if(BERTH_CAPI_SOURCES)
  set(BERTH_ABI_VERSION 1)
  add_library(berth_capi SHARED ${BERTH_CAPI_SOURCES})
  add_library(berth::capi ALIAS berth_capi)
  target_include_directories(berth_capi PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/capi/include>
                                               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(berth_capi PRIVATE $<BUILD_INTERFACE:berth_static> $<BUILD_INTERFACE:berth_warnings>)
  target_compile_options(berth_capi PRIVATE -fvisibility=hidden -fvisibility-inlines-hidden)
  target_link_options(berth_capi PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/capi/berth.map
                                         -Wl,--exclude-libs,ALL -Wl,--no-undefined)
  set_target_properties(berth_capi PROPERTIES EXPORT_NAME capi OUTPUT_NAME berth SOVERSION ${BERTH_ABI_VERSION}
                        VERSION ${BERTH_ABI_VERSION}.${PROJECT_VERSION} LINK_DEPENDS ${PROJECT_SOURCE_DIR}/capi/berth.map)
endif()
