
# kube/schema/*.schema become constant tables.
add_executable(schema-gen ${CMAKE_SOURCE_DIR}/tools/schema-gen.c)
target_link_libraries(schema-gen PRIVATE base)
file(GLOB schemas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kube/schema/*.schema)
set(tables ${CMAKE_BINARY_DIR}/kube-schema-tables.c)
add_custom_command(OUTPUT ${tables} COMMAND schema-gen ${tables} ${schemas} DEPENDS schema-gen ${schemas} VERBATIM)
target_sources(kube PRIVATE ${tables})
embed(kube schema/protobuf.numbers kube_protobuf_numbers)
