"""What the plugins that train with torch share. Not a plugin itself: it registers nothing."""
