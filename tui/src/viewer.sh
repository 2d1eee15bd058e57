# Opens the PDF $1 at its page $2 with the program that the system has for PDFs, as each of these is told of a page;
# with others at its start.
of=$(xdg-mime query default application/pdf 2>/dev/null)
try() { if command -v "$1" >/dev/null; then exec "$@"; fi; }
case $of in
    *[Ee]vince*) try evince --page-index="$2" -- "$1" ;;
    *[Aa]tril*) try atril --page-index="$2" -- "$1" ;;
    *[Xx]reader*) try xreader --page-index="$2" -- "$1" ;;
    *[Pp]apers*) try papers --page-index="$2" -- "$1" ;;
    *okular*) try okular --page "$2" -- "$1" ;;
    *zathura*) try zathura --page="$2" -- "$1" ;;
    *qpdfview*) try qpdfview --unique "$1#$2" ;;
    *sioyek*) try sioyek --page "$2" "$1" ;;
    *mupdf*) try mupdf "$1" "$2" ;;
    *xpdf*) try xpdf "$1" "$2" ;;
esac
exec xdg-open "$1"
