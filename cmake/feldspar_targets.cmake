# How every target of the project is made: one library a floor, the same warnings and include root everywhere.

# Warnings that come from what an optimizer infers change with every compiler: they are errors only up to the one that the project is
# developed with (g++ 12); of later ones they are shown.
set(feldspar_inferred null-dereference maybe-uninitialized array-bounds stringop-overflow stringop-overread restrict
  dangling-reference free-nonheap-object)
list(TRANSFORM feldspar_inferred PREPEND -Wno-error=)
set(feldspar_later_compiler "$<AND:$<BOOL:${FELDSPAR_WERROR}>,$<COMPILE_LANG_AND_ID:CXX,GNU>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>>")

add_library(feldspar_warnings INTERFACE)
target_compile_options(feldspar_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wnull-dereference -Wno-psabi>
  $<$<AND:$<BOOL:${FELDSPAR_WERROR}>,$<COMPILE_LANGUAGE:CXX>>:-Werror>
  "$<${feldspar_later_compiler}:${feldspar_inferred}>"
  $<$<AND:$<BOOL:${FELDSPAR_WERROR}>,$<COMPILE_LANGUAGE:CUDA>>:-Werror=all-warnings>)

# feldspar_library(NAME SOURCES... ): the static library feldspar_NAME, known as feldspar::NAME.
function(feldspar_library name)
  add_library(feldspar_${name} STATIC ${ARGN})
  add_library(feldspar::${name} ALIAS feldspar_${name})
  set_target_properties(feldspar_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(feldspar_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(feldspar_${name} PUBLIC cxx_std_20)
  target_link_libraries(feldspar_${name} PRIVATE $<BUILD_INTERFACE:feldspar_warnings>)
endfunction()

# feldspar_public_headers(NAME HEADERS...): what is installed of feldspar_NAME. All other headers are internal: the test
# `install` sees that no public header includes one.
function(feldspar_public_headers name)
  target_sources(feldspar_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${ARGN})
endfunction()

# feldspar_test(NAME SOURCES... LIBRARIES...): a GoogleTest program whose cases CTest lists one by one.
# LABELS marks the slow ones; scripts/test leaves "slow" out unless told --all.
function(feldspar_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name}_test ${arg_SOURCES})
  target_link_libraries(${name}_test PRIVATE ${arg_LIBRARIES} GTest::gtest_main feldspar_warnings)
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name}_test PRIVATE FELDSPAR_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${name}_test TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
    PROPERTIES TIMEOUT 900 LABELS "${arg_LABELS}")
endfunction()
