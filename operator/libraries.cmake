room_libraries(operator lazy::git2)
