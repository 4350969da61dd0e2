room_libraries(runtime lazy::archive PkgConfig::zstd PkgConfig::seccomp PkgConfig::cap PkgConfig::mnl
	lazy::openssl PkgConfig::jansson)

# The supervisor is a program of its own, without a C library, and embedded in the room (container/spawn.c).
get_target_property(runtime_sources runtime SOURCES)
set(supervisor_sources ${runtime_sources})
list(FILTER supervisor_sources INCLUDE REGEX "/runtime/container/supervisor/")
list(REMOVE_ITEM runtime_sources ${supervisor_sources} "")
set_target_properties(runtime PROPERTIES SOURCES "${runtime_sources}")

add_executable(supervisor ${supervisor_sources})
set_target_properties(supervisor PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/embedded POSITION_INDEPENDENT_CODE OFF)
target_compile_options(supervisor PRIVATE -Os -g0 -U_FORTIFY_SOURCE -ffreestanding -fno-builtin -fno-stack-protector -fno-pie
	-fno-sanitize=all -fcf-protection=none -fno-asynchronous-unwind-tables -ffunction-sections)
target_link_options(supervisor PRIVATE -static -nostdlib -no-pie -fno-sanitize=all
	LINKER:--gc-sections,-z,norelro,-z,noseparate-code,--build-id=none,-s)
set(supervisor_program ${CMAKE_BINARY_DIR}/embedded/supervisor)
set_property(SOURCE ${CMAKE_SOURCE_DIR}/runtime/container/spawn.c APPEND PROPERTY OBJECT_DEPENDS ${supervisor_program})
set_property(SOURCE ${CMAKE_SOURCE_DIR}/runtime/container/spawn.c APPEND PROPERTY
	COMPILE_DEFINITIONS CD_SUPERVISOR="${supervisor_program}")
add_dependencies(runtime supervisor)
