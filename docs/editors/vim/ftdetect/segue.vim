" The system's own *.rules (udev and the like) stay what they are.
autocmd BufNewFile,BufRead *.rules if expand('<afile>:p') !~# '^/\(etc\|lib\|usr\)/' | set filetype=segue | endif
