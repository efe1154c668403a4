"""Several processes that train as one: started, joined over MXNet's kvstore, watched so that none waits in vain."""
