" Segue rules. Written by `segue lsp --write-highlighting`; edits are lost.
if exists('b:current_syntax')
  finish
endif
syntax case match
syntax iskeyword @,48-57,_,192-255

syntax match segueOperator /!=\|<=\|>=\|[=<>+*\/-]/
syntax match segueNumber /\<\d\+\>/
syntax match segueNumber /\<\d\+\.\d\+\>/
syntax match segueNumber /\<\%(\d\+\%(mo\|min\|w\|d\|h\|s\)\)\+\>/
syntax match segueNumber /\<\d\+\%(\.\d\+\)\?\s*\u\{3}\>/
syntax match segueNumber /\<\d\+\%(\.\d\+\)\?%/
syntax match segueNumber /\<\d\{1,2}:\d\{2}\>/
syntax match segueNumber /\<\d\{4}-\d\{2}-\d\{2}\>/
syntax keyword segueDeclaration edition every on rule segment test when
syntax keyword segueStep else emit end if repeat send set split stop unless wait
syntax keyword segueConstant false friday monday now saturday sunday thursday true tuesday wednesday
syntax keyword segueLogical and between in not or
syntax keyword segueHeader as expect from goal holdout once rollout until
syntax keyword segueWord after at before changes enters ever fails for given is leaves next no per preferred then to tomorrow towards up where with within worth
syntax match segueWord /\<\%(time\)\>\%(\s\+\<\%(between\)\>\)\@=/
syntax match segueWord /\<\%(best\)\>\%(\s\+\<\%(time\)\>\)\@=/
syntax match segueWord /\%(\<\%(best\)\>\s\+\)\@<=\%(\<\%(time\)\>\)/
syntax match segueWord /\%(\<\%(in\)\>\s\+\)\@<=\%(\<\%(last\)\>\)/
syntax match segueWord /\<\%(can\)\>\%(\s\+\<\%(get\)\>\)\@=/
syntax match segueWord /\%(\<\%(can\)\>\s\+\)\@<=\%(\<\%(get\)\>\)/
syntax match segueWord /\%(\<\%(at\)\>\s\+\)\@<=\%(\<\%(least\)\>\)/
syntax match segueWord /\%(\<\%(given\)\>\s\+\)\@<=\%(\<\%(arm\)\>\)/
syntax match segueWord /\%(\<\%(repeat\)\>\s\+\)\@<=\%(\<\%(ignore\|restart\)\>\)/
syntax match segueWord /\%(\<\%(on\)\>\s\+\)\@<=\%(\<\%(edit\)\>\)/
syntax match segueWord /\%(\<\%(edit\)\>\s\+\)\@<=\%(\<\%(finish\|follow\)\>\)/
syntax match segueWord /\%(\<\%(every\)\>\s\+\)\@<=\%(\<\%(day\|month\|year\)\>\)/
syntax match segueWord /\%(\<\d\+\s\+\)\@<=\%(\<\%(times\)\>\)/
syntax match segueWord /\%(\d\{1,2}:\d\{2}\s\+\)\@<=\%(\<\%(local\)\>\)/
syntax match segueConstant /\%(\d\{1,2}:\d\{2}\s\+\)\@<=\%(\u\a\+\%(\/\a[A-Za-z0-9_+-]*\)\+\|\<UTC\>\)/
syntax match seguePolicyWord /\<\%(quiet\|limit\|space\|budget\|defer\|drop\|local\)\>/ contained
syntax match segueType /\%(\k\+\s\+\)\@<=\%(text\|number\|money\|boolean\|date\|time\|list\)\>/ contained
syntax region segueString start=/"/ end=/"/ oneline
syntax match segueComment /#.*$/ contains=@Spell
syntax region seguePolicy matchgroup=segueDeclaration start=/\<policy\>/ end=/\%(\<\%(customer\|edition\|event\|every\|on\|policy\|rule\|segment\|test\|when\)\>\)\@=/ contains=ALLBUT,segueType
syntax region segueEvent matchgroup=segueDeclaration start=/\<event\>/ end=/\%(\<\%(customer\|edition\|event\|every\|on\|policy\|rule\|segment\|test\|when\)\>\)\@=/ contains=ALLBUT,seguePolicyWord
syntax match segueDeclaration /\<customer\>/
syntax region segueCustomer matchgroup=segueDeclaration start=/^\s*customer\ze\s*\%(#.*\)\?$/ end=/\%(\<\%(customer\|edition\|event\|every\|on\|policy\|rule\|segment\|test\|when\)\>\)\@=/ contains=ALLBUT,seguePolicyWord

highlight default link segueDeclaration Keyword
highlight default link segueStep Statement
highlight default link segueConstant Constant
highlight default link segueLogical Operator
highlight default link segueHeader PreProc
highlight default link segueWord Special
highlight default link segueType Type
highlight default link segueNumber Number
highlight default link segueString String
highlight default link segueComment Comment
highlight default link segueOperator Operator
highlight default link seguePolicyWord Special

syntax sync fromstart
let b:current_syntax = 'segue'
