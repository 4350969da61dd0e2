# embed(ROOM FILE NAME): the bytes of a file as part of a room's library, by the assembler's .incbin.
#   embed(render chart/lua/k8s.lua k8s_lua)            a source file, relative to the room
#   embed(runtime $<TARGET_FILE:supervisor> supervisor_program)   something that is built
# In C:   extern const char k8s_lua[], k8s_lua_end[];
function(embed ROOM FILE NAME)
	set(source ${CMAKE_BINARY_DIR}/embed/${NAME}.c)
	if(NOT FILE MATCHES "^\\$<" AND NOT IS_ABSOLUTE ${FILE})
		set(FILE ${CMAKE_SOURCE_DIR}/${ROOM}/${FILE})
	endif()
	file(GENERATE OUTPUT ${source} CONTENT
"__asm__(\".section .rodata\\n.balign 16\\n.globl ${NAME}\\n.globl ${NAME}_end\\n\"
	\"${NAME}:\\n.incbin \\\"${FILE}\\\"\\n${NAME}_end:\\n.byte 0\\n.previous\\n\");
typedef int ${NAME}_is_embedded;
")
	set_source_files_properties(${source} PROPERTIES GENERATED TRUE OBJECT_DEPENDS "${FILE}")
	target_sources(${ROOM} PRIVATE ${source})
endfunction()
