# SPDX-License-Identifier: Apache-2.0
# Headers, libraries, the command; the CMake package and the pkg-config files.
include(CMakePackageConfigHelpers)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/berth DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.ipp")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(BERTH_EXPORTED berth_headers berth_static)
if(TARGET berth_shared)
  list(APPEND BERTH_EXPORTED berth_shared)
endif()
if(TARGET berth_capi)
  list(APPEND BERTH_EXPORTED berth_capi)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/capi/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          FILES_MATCHING PATTERN "*.h")
  if(TARGET berth_capi_archive)
    install(FILES ${BERTH_CAPI_ARCHIVE} DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()
endif()
install(TARGETS ${BERTH_EXPORTED} EXPORT berth-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET berth_command)
  install(TARGETS berth_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET berth_init AND NOT BERTH_INIT_PROGRAM)
  install(TARGETS berth_init RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/berth)
endif()

set(BERTH_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/berth)
install(EXPORT berth-targets NAMESPACE berth:: DESTINATION ${BERTH_PACKAGE_DIR})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/berth-config.cmake.in ${PROJECT_BINARY_DIR}/berth-config.cmake
                              INSTALL_DESTINATION ${BERTH_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/berth-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/berth-config.cmake ${PROJECT_BINARY_DIR}/berth-config-version.cmake
        DESTINATION ${BERTH_PACKAGE_DIR})

# berth-headers: header-only. berth-cpp: the C++ library (--static for the archive). berth: the C ABI, berth-static: its
# archive.
set(BERTH_PC_FILES berth-headers berth-cpp)
if(TARGET berth_capi)
  list(APPEND BERTH_PC_FILES berth)
  if(TARGET berth_capi_archive)
    list(APPEND BERTH_PC_FILES berth-static)
  endif()
endif()
file(RELATIVE_PATH BERTH_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(name ${BERTH_PC_FILES})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
