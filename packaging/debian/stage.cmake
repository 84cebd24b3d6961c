# Runs before the package is built: changes what Debian wants to differ from `cmake --install`.
set(DOC ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/doc/holdfast)
set(MAN ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/man)
configure_file(${CMAKE_CURRENT_LIST_DIR}/copyright ${DOC}/copyright COPYONLY) # the text of the licence is in /usr/share/common-licenses
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog ${DOC}/changelog COPYONLY)
execute_process(COMMAND gzip -9nf ${DOC}/changelog ${MAN}/man1/holdfast.1 ${MAN}/man8/holdfastd.8 COMMAND_ERROR_IS_FATAL ANY)
