/* Asks a window to close, as the button of its frame does. The argument is the window's id. */
#include <X11/Xlib.h>
#include <stdlib.h>

int main(int count, char **arguments) {
  Display *display = XOpenDisplay(NULL);
  if (count != 2 || display == NULL) return 1;
  XEvent request = {0};
  request.xclient.type = ClientMessage;
  request.xclient.window = strtoul(arguments[1], NULL, 10);
  request.xclient.message_type = XInternAtom(display, "WM_PROTOCOLS", False);
  request.xclient.format = 32;
  request.xclient.data.l[0] = XInternAtom(display, "WM_DELETE_WINDOW", False);
  request.xclient.data.l[1] = CurrentTime;
  XSendEvent(display, request.xclient.window, False, NoEventMask, &request);
  XSync(display, False);
  XCloseDisplay(display);
  return 0;
}
