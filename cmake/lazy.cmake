# lazy_library(NAME...): the library of PkgConfig::NAME as lazy::NAME, which is loaded when one of its functions is first called.
# For libraries that are long to load and that few commands call; docs/decisions/0010-lazy-libraries.md.
add_executable(lazy-gen ${CMAKE_SOURCE_DIR}/tools/lazy-gen.c)
set_target_properties(lazy-gen PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/embedded)
add_link_options(LINKER:--gc-sections)          # leaves out the stubs that nobody calls

function(lazy_library)
	foreach(name ${ARGN})
		set(stubs)
		get_target_property(libraries PkgConfig::${name} INTERFACE_LINK_LIBRARIES)
		foreach(library ${libraries})
			get_filename_component(base ${library} NAME_WE)
			set(stub ${CMAKE_BINARY_DIR}/lazy/${base}.S)
			add_custom_command(OUTPUT ${stub} COMMAND lazy-gen ${stub} ${library} DEPENDS lazy-gen ${library} VERBATIM)
			list(APPEND stubs ${stub})
		endforeach()
		add_library(lazy-${name} STATIC ${stubs})
		add_library(lazy::${name} ALIAS lazy-${name})
		set_source_files_properties(${stubs} PROPERTIES OBJECT_DEPENDS ${CMAKE_SOURCE_DIR}/base/lazy-stub.h)
		target_include_directories(lazy-${name} PRIVATE ${CMAKE_BINARY_DIR}/rooms/base
			INTERFACE $<TARGET_PROPERTY:PkgConfig::${name},INTERFACE_INCLUDE_DIRECTORIES>)
		target_link_libraries(lazy-${name} PUBLIC base)
	endforeach()
endfunction()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/lazy)
