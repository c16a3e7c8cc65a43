# What `cmake --install` puts where: the program, the libraries with their headers, and a package for find_package.
include(CMakePackageConfigHelpers)

set(feldspar_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/feldspar)
set(feldspar_floors base geometry kernels io recon run)
if(FELDSPAR_SIMULATE)
  list(APPEND feldspar_floors simulate)
endif()
list(TRANSFORM feldspar_floors PREPEND feldspar_ OUTPUT_VARIABLE feldspar_libraries)

if(FELDSPAR_CLI)
  install(TARGETS feldspar RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(TARGETS ${feldspar_libraries} EXPORT feldspar_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/feldspar)
install(FILES ${PROJECT_BINARY_DIR}/base/version.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/feldspar/base)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md CONTRIBUTING.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT feldspar_targets NAMESPACE feldspar:: FILE feldsparTargets.cmake DESTINATION ${feldspar_package_folder})
configure_package_config_file(cmake/feldsparConfig.cmake.in ${PROJECT_BINARY_DIR}/feldsparConfig.cmake
  INSTALL_DESTINATION ${feldspar_package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/feldsparConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/feldsparConfig.cmake ${PROJECT_BINARY_DIR}/feldsparConfigVersion.cmake
  DESTINATION ${feldspar_package_folder})
