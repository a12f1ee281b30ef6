/* Wishes a window to be closed, as the button in its frame does; the argument is its number. */
#include <X11/Xlib.h>
#include <stdlib.h>

int main(int count, char **arguments) {
  Display *display = XOpenDisplay(NULL);
  if (count != 2 || display == NULL) return 1;
  XEvent wish = {0};
  wish.xclient.type = ClientMessage;
  wish.xclient.window = strtoul(arguments[1], NULL, 10);
  wish.xclient.message_type = XInternAtom(display, "WM_PROTOCOLS", False);
  wish.xclient.format = 32;
  wish.xclient.data.l[0] = XInternAtom(display, "WM_DELETE_WINDOW", False);
  wish.xclient.data.l[1] = CurrentTime;
  XSendEvent(display, wish.xclient.window, False, NoEventMask, &wish);
  XSync(display, False);
  XCloseDisplay(display);
  return 0;
}
