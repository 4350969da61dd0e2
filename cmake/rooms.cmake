# room(NAME [ROOMS below...] [PROGRAM name]): the folder NAME as a static library.
#
# Headers are included as "room/file.h". Each room exports a directory that holds nothing but a link to itself, and sees
# only those of the rooms it names: an include against the order of the house does not compile.
# Libraries that only one room uses are named in that room's own libraries.cmake:
#   room_libraries(render PkgConfig::yaml)
# A file named *-main.c is the start of a program of its own and not part of the library.
function(room NAME)
	cmake_parse_arguments(R "" "PROGRAM" "ROOMS" ${ARGN})
	file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${NAME}/*.c ${CMAKE_SOURCE_DIR}/${NAME}/*.S)
	list(FILTER sources EXCLUDE REGEX "-main\\.c$")
	set(view ${CMAKE_BINARY_DIR}/rooms/${NAME})
	file(MAKE_DIRECTORY ${view})
	file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${NAME} ${view}/${NAME} SYMBOLIC)

	if(NOT sources)
		file(WRITE ${CMAKE_BINARY_DIR}/empty-${NAME}.c "typedef int empty;\n")
		set(sources ${CMAKE_BINARY_DIR}/empty-${NAME}.c)
	endif()
	add_library(${NAME} STATIC ${sources})
	target_include_directories(${NAME} PUBLIC ${view})
	target_link_libraries(${NAME} PUBLIC ${R_ROOMS} Threads::Threads)
	if(EXISTS ${CMAKE_SOURCE_DIR}/${NAME}/libraries.cmake)
		include(${CMAKE_SOURCE_DIR}/${NAME}/libraries.cmake)
	endif()
	if(R_PROGRAM)
		add_executable(${R_PROGRAM} ${CMAKE_SOURCE_DIR}/${NAME}/${R_PROGRAM}-main.c)
		target_link_libraries(${R_PROGRAM} PRIVATE ${NAME})
	endif()
endfunction()

function(room_libraries NAME)
	target_link_libraries(${NAME} PUBLIC ${ARGN})
endfunction()
